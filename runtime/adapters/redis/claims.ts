/** The claims of one agent in Redis: requests become arguments of scripts, answers become states. */
import { flowSlot, joinHandlingId } from '../../../contracts/ids.ts'
import type {
  ClaimRequest,
  ClaimStore,
  HandlingRef,
  HandlingState,
  JoinRequest,
  Transition,
} from '../../ports/claim-store.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { runBatch, type FixedArguments, type Part } from './batches.ts'
import type { Connection } from './connection.ts'
import { Epochs } from './epochs.ts'
import { agentKeys, SLOTS, type AgentKeys } from './keys.ts'
import { decodeAnswer, memberPart, topicArguments } from './join-calls.ts'
import type { Reply, ScriptName } from './scripts.ts'
import { claimTail, computedValue, decodeState, expectation, handedTail, redriveArguments } from './values.ts'

export interface ClaimsOptions {
  readonly connection: Connection
  readonly namespace: string
  readonly agent: string
  readonly dedupMs: number
  readonly joinTtlMs: number
  readonly isCluster: boolean
  readonly lostPauseMs?: number
  readonly clock: Clock
  readonly logger: Logger
}

type Arguments = readonly (Buffer | string | number)[]

const DAY_MS = 86_400_000
/** A claim must not end while its work could still be taken over: longer than any log keeps the event by default (7 days). */
const CLAIM_TTL_MS = 8 * DAY_MS
const DEAD_TTL_MS = 30 * DAY_MS

/** Opens the claims of one agent; nothing is sent before the first call. */
export function createClaimStore(options: ClaimsOptions): ClaimStore {
  const { connection, agent, dedupMs, joinTtlMs, isCluster } = options
  const keys = agentKeys(options.namespace, agent)
  const runner = { connection, epochs: new Epochs(options) }
  const place = placing(keys, isCluster)
  const claimTtl: FixedArguments = () => [Math.max(CLAIM_TTL_MS, dedupMs, joinTtlMs)]
  const dedupTtl: FixedArguments = () => [dedupMs]
  const deadTtl: FixedArguments = () => [Math.max(DEAD_TTL_MS, dedupMs)]
  let hasJoined = false

  const change = async <R extends HandlingRef>(
    call: { script: ScriptName; fixed: FixedArguments; requests: readonly R[] },
    argsOf: (request: R) => Arguments,
    wanted: (request: R) => HandlingState,
  ): Promise<readonly Transition[]> => {
    const parts = call.requests.map((request) => place(request, argsOf(request)))
    const replies = await runBatch(runner, call.script, parts, call.fixed)
    return call.requests.map((request, index) => transition(replies[index] ?? null, () => wanted(request)))
  }

  const finishPart = (ref: HandlingRef): Part => {
    const part = place(ref, [])
    const isJoin = hasJoined && ref.handlingId === joinHandlingId(agent, ref.flowId)
    return isJoin ? { ...part, keys: [...part.keys, keys.join(ref.flowId)] } : part
  }

  return {
    read: async (refs) => {
      const replies = await runBatch(
        runner,
        'read',
        refs.map((ref) => place(ref, [])),
        () => [],
      )
      return replies.map((reply) => decodeState(reply as Buffer | null))
    },
    claim: (requests) => change({ script: 'claim', fixed: claimTtl, requests }, claimArguments, wantedClaim),
    compute: (requests) =>
      change(
        { script: 'compute', fixed: claimTtl, requests },
        (request) => {
          const { value, ownBytes } = computedValue(request)
          return [expectation(request.from), value, ownBytes]
        },
        ({ owner, attempt, position, outputs }) => ({ state: 'computed', owner, attempt, position, outputs }),
      ),
    finish: async (refs) => {
      const fixed: FixedArguments = (parts) => [
        dedupMs,
        parts.map((part) => (part.keys.length > 1 ? 'hj' : 'h')).join(''),
      ]
      const replies = await runBatch(runner, 'finish', refs.map(finishPart), fixed)
      return replies.map((reply) => transition(reply, () => ({ state: 'done' })))
    },
    hand: (requests) =>
      change(
        { script: 'hand', fixed: dedupTtl, requests },
        ({ from, kind, attempt }) => [expectation(from), handedTail(kind, attempt)],
        ({ kind, attempt }) => ({ state: 'handed', kind, attempt }),
      ),
    bury: (requests) =>
      change(
        { script: 'bury', fixed: deadTtl, requests },
        ({ from }) => [expectation(from)],
        // Never used: the answer of this script always carries the generation.
        () => ({ state: 'absent' }),
      ),
    release: (requests) =>
      change(
        { script: 'release', fixed: claimTtl, requests },
        ({ owner, attempt }) => [claimTail(owner, attempt), claimTail('', attempt)],
        ({ attempt }) => ({ state: 'claimed', owner: '', attempt }),
      ),
    join: async (requests) => {
      hasJoined = true
      const byTopics = Map.groupBy(requests.entries(), ([, { topics }]) => topics.join())
      const answers = await Promise.all([...byTopics.values()].map((group) => joinGroup(group)))
      return answers
        .flat()
        .sort(([a], [b]) => a - b)
        .map(([, answer]) => answer)
    },
  }

  async function joinGroup(group: readonly [number, JoinRequest][]) {
    const topics = group[0]?.[1].topics ?? []
    const parts = group.map(([, request]) => memberPart(request, epochKeyOf(keys, request.flowId, isCluster), keys))
    const replies = await runBatch(runner, 'join', parts, () => [joinTtlMs, ...topicArguments(topics)])
    return group.map(([index], at) => [index, decodeAnswer(topics, replies[at] ?? null)] as const)
  }
}

function epochKeyOf(keys: AgentKeys, flowId: string, isCluster: boolean): string {
  return keys.epoch(isCluster ? flowSlot(flowId, SLOTS) : undefined)
}

function placing(keys: AgentKeys, isCluster: boolean): (ref: HandlingRef, args: Arguments) => Part {
  return ({ flowId, handlingId }, args) => {
    let bytes = 0
    for (const arg of args) if (typeof arg === 'object') bytes += arg.length
    return { epochKey: epochKeyOf(keys, flowId, isCluster), keys: [keys.handling(flowId, handlingId)], args, bytes }
  }
}

/** 1: as requested; a list: accepted, holding the value; else refused, with the value. */
function transition(reply: Reply, wanted: () => HandlingState): Transition {
  if (reply === 1) return { accepted: true, current: wanted() }
  if (Array.isArray(reply)) return { accepted: true, current: decodeState(reply[0] as Buffer) }
  return { accepted: false, current: decodeState(reply as Buffer | null) }
}

function claimArguments({ owner, from }: ClaimRequest): Arguments {
  if (from === 'absent') return ['', claimTail(owner, 1)]
  if ('deadGeneration' in from) return redriveArguments(from.deadGeneration, owner)
  return [Buffer.concat([TAKE_OVER, claimTail(from.owner, from.attempt)]), claimTail(owner, from.attempt + 1)]
}

const TAKE_OVER = Buffer.from('c')

/** Of a redrive the answer carries the attempt, so it never comes here. */
function wantedClaim({ owner, from }: ClaimRequest): HandlingState {
  return { state: 'claimed', owner, attempt: from === 'absent' || 'deadGeneration' in from ? 1 : from.attempt + 1 }
}
