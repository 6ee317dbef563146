/**
 * Runs one script over many handlings that travel in a single argument: the calls of the hot path, where an argument for each
 * handling would cost the client more than the script costs the server. One EVALSHA on a standalone server, one per slot in a
 * cluster; a script reaches no key outside the slot of its epoch.
 */
import { flowSlot, writeUuid } from '../../../contracts/ids.ts'
import type { HandlingRef } from '../../ports/claim-store.ts'
import type { Runner } from './batches.ts'
import { SLOTS } from './keys.ts'
import { cutIntoPieces, type Piece } from './pieces.ts'
import { runScript, type Reply, type ScriptName } from './scripts.ts'

/** A call of which each handling adds its slot (one byte), its id (16 bytes) and what `write` adds. */
export interface PackedCall<R extends HandlingRef> {
  readonly script: ScriptName
  /** Arguments between the epoch's name and the handlings. */
  readonly fixed: readonly (string | number)[]
  readonly epochKeyOf: (request: R) => string
  readonly sizeOf: (request: R) => number
  /** Returns the offset behind what it has written. */
  readonly write: (request: R, target: Buffer, at: number) => number
}

const REF_BYTES = 17

/**
 * One answer per request; `undefined` stands for the usual one, which scripts do not spell out.
 * @throws LABAN_STORE_UNAVAILABLE, LABAN_STORE_LOST
 */
export async function runPacked<R extends HandlingRef>(
  { connection, epochs }: Runner,
  call: PackedCall<R>,
  requests: readonly R[],
): Promise<readonly (Reply | undefined)[]> {
  const answers = new Array<Reply | undefined>(requests.length).fill(undefined)
  const run = async ({ epochKey, indexes, bytes }: Piece): Promise<void> => {
    const packed = pack(call, requests, indexes, bytes)
    const epoch = await epochs.at(epochKey)
    const args = [epoch.name, ...call.fixed, packed]
    const reply = await connection.run((client) => runScript(client, call.script, [epochKey], args))
    const replies = epochs.check(epoch, reply)
    if (replies.length === 0) return
    for (const [at, index] of indexes.entries()) answers[index] = replies[at] ?? null
  }
  const pieces = cutIntoPieces(requests, (request) => ({
    epochKey: call.epochKeyOf(request),
    bytes: REF_BYTES + call.sizeOf(request),
  }))
  await Promise.all(pieces.map(run))
  return answers
}

function pack<R extends HandlingRef>(
  call: PackedCall<R>,
  requests: readonly R[],
  indexes: readonly number[],
  bytes: number,
): Buffer {
  const packed = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const index of indexes) {
    const request = requests[index]
    if (request === undefined) continue
    packed[at] = flowSlot(request.flowId, SLOTS)
    at = call.write(request, packed, writeUuid(packed, at + 1, request.handlingId))
  }
  return packed
}
