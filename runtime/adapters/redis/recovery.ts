/** Putting back in Redis what it has lost; what is written goes to the epoch that `status` has named, and to no other. */
import { randomBytes } from 'node:crypto'
import { LabanError } from '../../../contracts/errors.ts'
import { flowSlot, type Uuid } from '../../../contracts/ids.ts'
import type { ClaimOptions, HandlingState } from '../../ports/claim-store.ts'
import type { RecoveryStore, RestoredState, StoreStatus } from '../../ports/recovery-store.ts'
import { timesToLive, type TimesToLive } from './claims.ts'
import type { Connection } from './connection.ts'
import { agentKeys, epochKeys, joinEpochs, SLOTS, type AgentKeys } from './keys.ts'
import { encodeDoneMember, encodeMember } from './members.ts'
import { runScript, type Reply, type ScriptName } from './scripts.ts'
import { checkVersion, decodeState, restoredValue } from './values.ts'

interface RecoveryOptions {
  readonly connection: Connection
  readonly namespace: string
  readonly agent: string
  readonly kept: ClaimOptions
  readonly isCluster: boolean
}

/** One key of a script's call, and its arguments. */
interface Part {
  readonly flowId: Uuid
  readonly key: Buffer
  readonly args: readonly (Buffer | string | number)[]
}

const VERSION = '1'
/** Redis does nothing else while a script runs. */
const MAX_PARTS = 500

/** The recovery of one agent. */
export function createRecoveryStore(options: RecoveryOptions): RecoveryStore {
  const { connection, kept } = options
  const keys = agentKeys(options.namespace, options.agent)
  const ttlMs = timesToLive(kept)
  const epochs = new EpochNames(options, keys)
  const fields = async (lifeMs: number, parts: readonly Part[]): Promise<void> => {
    await epochs.run('restore-fields', [lifeMs], parts)
  }
  return {
    status: () => epochs.adopt(),
    lead: async (instance, leaseMs) =>
      (await connection.run((client) => runScript(client, 'lead', [keys.recoverer], [instance, leaseMs]))) === 1,
    read: async (refs) => {
      const read = connection.run((client) =>
        Promise.all(refs.map(({ flowId, handlingId }) => client.getBuffer(keys.handling(flowId, handlingId)))),
      )
      return (await read).map(decodeState)
    },
    restore: async (handlings) => {
      const parts = handlings.map(({ flowId, handlingId, restored }) => ({
        flowId,
        key: keys.handling(flowId, handlingId),
        args: [restoredValue(restored), lifeMsOf(restored, ttlMs)],
      }))
      return (await epochs.run('restore', [], parts)).map((reply): HandlingState => decodeState(reply as Buffer | null))
    },
    restoreJournal: (values) =>
      fields(
        ttlMs.dead,
        values.map(({ flowId, handlingId, name, value }) => ({
          flowId,
          key: keys.journal(flowId, handlingId),
          args: [name, value],
        })),
      ),
    restoreJoins: (members) =>
      fields(
        ttlMs.join,
        members.map(({ flowId, member, isDone }) => ({
          flowId,
          key: keys.join(flowId),
          args: [member.topic, isDone ? encodeDoneMember(member) : encodeMember(member)],
        })),
      ),
    complete: (epoch) => epochs.complete(epoch),
  }
}

function lifeMsOf({ state }: RestoredState, ttlMs: TimesToLive): number {
  if (state === 'dead') return ttlMs.dead
  return state === 'claimed' || state === 'computed' ? ttlMs.claim : ttlMs.dedup
}

/** The epochs that `status` has named last. */
class EpochNames {
  readonly #connection: Connection
  readonly #keyOf: (flowId: Uuid) => string
  readonly #epochKeys: readonly string[]
  #names = new Map<string, Buffer>()

  constructor({ connection, isCluster }: RecoveryOptions, keys: AgentKeys) {
    this.#connection = connection
    this.#keyOf = (flowId) => keys.epoch(isCluster ? flowSlot(flowId, SLOTS) : undefined)
    this.#epochKeys = epochKeys(keys, isCluster)
  }

  async adopt(): Promise<StoreStatus> {
    const proposed = VERSION + randomBytes(8).toString('hex')
    const replies = await this.#connection.run((client) =>
      Promise.all(this.#epochKeys.map((key) => runScript(client, 'epoch', [key], [proposed]))),
    )
    const adopted = replies.map((reply) => reply as readonly [Buffer, number, number])
    for (const [name] of adopted) checkVersion(name, 'The epoch')
    this.#names = new Map(this.#epochKeys.map((key, at) => [key, adopted[at]?.[0] ?? Buffer.alloc(0)]))
    return { epoch: this.#epoch, isRecovered: adopted.every(([, , recovered]) => recovered === 1) }
  }

  async complete(epoch: string): Promise<boolean> {
    if (epoch !== this.#epoch) return false
    const replies = await this.#connection.run((client) =>
      Promise.all([...this.#names].map(([key, name]) => runScript(client, 'recovered', [key], [name]))),
    )
    return replies.every((reply) => reply === 1)
  }

  /** Answers in the order of the parts. @throws LABAN_STORE_LOST when an epoch is gone */
  async run(script: ScriptName, fixed: readonly number[], parts: readonly Part[]): Promise<readonly Reply[]> {
    const answers = new Array<Reply>(parts.length).fill(null)
    const groups = Map.groupBy(parts.entries(), ([, { flowId }]) => this.#keyOf(flowId))
    const runPiece = async (epochKey: string, piece: readonly [number, Part][]): Promise<void> => {
      const keys = [epochKey, ...piece.map(([, { key }]) => key)]
      const args = [this.#names.get(epochKey) ?? '', ...fixed, ...piece.flatMap(([, part]) => part.args)]
      const reply = await this.#connection.run((client) => runScript(client, script, keys, args))
      if (!Array.isArray(reply)) throw this.#lost()
      const [, ...replies] = reply as readonly Reply[]
      for (const [at, [index]] of piece.entries()) answers[index] = replies[at] ?? null
    }
    for (const [epochKey, group] of groups) {
      for (let at = 0; at < group.length; at += MAX_PARTS) await runPiece(epochKey, group.slice(at, at + MAX_PARTS))
    }
    return answers
  }

  get #epoch(): string {
    return joinEpochs([...this.#names.values()])
  }

  #lost(): LabanError {
    return new LabanError('LABAN_STORE_LOST', { url: this.#connection.url, problem: 'its epoch is missing' })
  }
}
