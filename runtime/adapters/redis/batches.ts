/**
 * Runs one script over a batch of requests: one EVALSHA on a standalone server; in a cluster one per slot, all under way at once.
 * Answers come back in the order of the requests.
 */
import type { Connection } from './connection.ts'
import type { Epochs } from './epochs.ts'
import { cutIntoPieces, type Piece } from './pieces.ts'
import { runScript, type Reply, type ScriptName } from './scripts.ts'

/** What one request adds to a call. `epochKey` names the group that one script may reach. */
export interface Part {
  readonly epochKey: string
  readonly keys: readonly Buffer[]
  readonly args: readonly (Buffer | string | number)[]
  /** Size of what is stored, to keep one script short. */
  readonly bytes: number
}

/** Where calls go. */
export interface Runner {
  readonly connection: Connection
  readonly epochs: Epochs
}

/** Arguments before those of the parts, the epoch aside; may depend on the parts of the call. */
export type FixedArguments = (parts: readonly Part[]) => readonly (Buffer | string | number)[]

/** One answer per part. @throws LABAN_STORE_UNAVAILABLE, LABAN_STORE_LOST */
export async function runBatch(
  { connection, epochs }: Runner,
  script: ScriptName,
  parts: readonly Part[],
  fixed: FixedArguments,
): Promise<readonly Reply[]> {
  const answers = new Array<Reply>(parts.length).fill(null)
  const run = async ({ epochKey, indexes }: Piece): Promise<void> => {
    const chosen = indexes.flatMap((index) => parts[index] ?? [])
    const epoch = await epochs.at(epochKey)
    const keys = [epochKey, ...chosen.flatMap((part) => part.keys)]
    const args = [epoch.name, ...fixed(chosen), ...chosen.flatMap((part) => part.args)]
    const reply = await connection.run((client) => runScript(client, script, keys, args))
    const replies = epochs.check(epoch, reply)
    for (const [at, index] of indexes.entries()) answers[index] = replies[at] ?? null
  }
  await Promise.all(cutIntoPieces(parts, (part) => part).map(run))
  return answers
}
