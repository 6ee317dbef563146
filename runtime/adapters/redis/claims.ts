/** The claims of one agent in Redis: requests become arguments of scripts, answers become states. */
import { flowSlot, joinHandlingId, type Uuid } from '../../../contracts/ids.ts'
import type {
  BuryRequest,
  ClaimOptions,
  ClaimRequest,
  ClaimStore,
  ComputeRequest,
  FinishRequest,
  From,
  HandedKind,
  HandlingRef,
  HandlingState,
  JoinAnswer,
  JoinRequest,
  JournalRequest,
  Transition,
} from '../../ports/claim-store.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { runBatch, type FixedArguments, type Part, type Runner } from './batches.ts'
import type { Connection } from './connection.ts'
import { Epochs } from './epochs.ts'
import { decodeAnswer, memberPart, topicArguments } from './join-calls.ts'
import { agentKeys, epochKeys, epochParts, SLOTS, type AgentKeys } from './keys.ts'
import type { Reply, ScriptName } from './scripts.ts'
import { runPacked, type PackedCall } from './packed.ts'
import {
  burialExpectation,
  claimTail,
  computedBytes,
  computedValue,
  decodeState,
  expectation,
  generationBytes,
  handedTail,
  redriveArguments,
  writeComputed,
} from './values.ts'

export interface ClaimsOptions {
  readonly connection: Connection
  readonly namespace: string
  readonly agent: string
  readonly dedupMs: number
  readonly joinTtlMs: number
  readonly isCluster: boolean
  readonly lostPauseMs?: number
  readonly recovers?: boolean
  readonly clock: Clock
  readonly logger: Logger
}

type HandRequest = HandlingRef & { from: From; kind: HandedKind; attempt: number }
type SettleRequest = HandlingRef & { generation: number }
type ReleaseRequest = HandlingRef & { owner: string; attempt: number }
type Arguments = readonly (Buffer | string | number)[]

/** `kinds`: one letter for each key. */
interface FinishPart extends Part {
  readonly kinds: string
}

/** How long things live, ms. */
export interface TimesToLive {
  readonly claim: number
  readonly dedup: number
  readonly dead: number
  readonly join: number
}

const DAY_MS = 86_400_000
/** A claim must not end while its work could still be taken over: longer than any log keeps the event by default (7 days). */
const CLAIM_TTL_MS = 8 * DAY_MS
const DEAD_TTL_MS = 30 * DAY_MS
const TAKE_OVER = Buffer.from('c')
const HANDED = Buffer.from('h')

/** How long things of an agent live. */
export function timesToLive({ dedupMs, joinTtlMs }: ClaimOptions): TimesToLive {
  return {
    claim: Math.max(CLAIM_TTL_MS, dedupMs, joinTtlMs),
    dedup: dedupMs,
    dead: Math.max(DEAD_TTL_MS, dedupMs),
    join: joinTtlMs,
  }
}

/** Sends nothing before its first call. */
export class RedisClaimStore implements ClaimStore {
  readonly #agent: string
  readonly #keys: AgentKeys
  readonly #isCluster: boolean
  readonly #runner: Runner
  readonly #epochs: Epochs
  readonly #ttlMs: TimesToLive
  #hasJoined = false

  constructor(options: ClaimsOptions) {
    this.#agent = options.agent
    this.#keys = agentKeys(options.namespace, options.agent)
    this.#isCluster = options.isCluster
    this.#epochs = new Epochs(options)
    this.#runner = { connection: options.connection, epochs: this.#epochs }
    this.#ttlMs = timesToLive(options)
  }

  enter(epoch: string): Promise<void> {
    return this.#epochs.enter(epochParts(epoch, epochKeys(this.#keys, this.#isCluster)))
  }

  async read(refs: readonly HandlingRef[]): Promise<readonly HandlingState[]> {
    const call = this.#packed('read', [])
    const replies = await runPacked(this.#runner, call, refs)
    return replies.map((reply) => (reply === undefined ? ABSENT : decodeState(reply as Buffer | null)))
  }

  claim(requests: readonly ClaimRequest[]): Promise<readonly Transition[]> {
    return this.#change(CLAIM, this.#ttlMs.claim, requests)
  }

  async compute(requests: readonly ComputeRequest[]): Promise<readonly Transition[]> {
    if (requests.some(({ from }) => from !== 'absent')) return this.#change(COMPUTE, this.#ttlMs.claim, requests)
    const call = { ...this.#packed<ComputeRequest>('compute-new', [this.#ttlMs.claim]), ...COMPUTE_NEW }
    const replies = await runPacked(this.#runner, call, requests)
    return requests.map((request, index) => transition(replies[index], () => COMPUTE.stateOf(request)))
  }

  async finish(requests: readonly FinishRequest[]): Promise<readonly Transition[]> {
    if (!this.#hasJoined && requests.every(({ hasJournal }) => hasJournal !== true)) {
      const replies = await runPacked(this.#runner, this.#packed('finish-plain', [this.#ttlMs.dedup]), requests)
      return replies.map((reply) => transition(reply, () => DONE))
    }
    const parts = requests.map((request) => this.#finishPart(request))
    const kindsOf: FixedArguments = (chosen) => [
      this.#ttlMs.dedup,
      chosen.map((part) => (part as FinishPart).kinds).join(''),
    ]
    const replies = await runBatch(this.#runner, 'finish', parts, kindsOf)
    return replies.map((reply) => transition(reply, () => DONE))
  }

  hand(requests: readonly HandRequest[]): Promise<readonly Transition[]> {
    return this.#change(HAND, this.#ttlMs.dedup, requests)
  }

  bury(requests: readonly BuryRequest[]): Promise<readonly Transition[]> {
    return this.#change(BURY, this.#ttlMs.dead, requests)
  }

  settle(requests: readonly SettleRequest[]): Promise<readonly Transition[]> {
    return this.#change(SETTLE, this.#ttlMs.dead, requests)
  }

  release(requests: readonly ReleaseRequest[]): Promise<readonly Transition[]> {
    return this.#change(RELEASE, this.#ttlMs.claim, requests)
  }

  async writeJournal(requests: readonly JournalRequest[]): Promise<readonly Transition[]> {
    const parts = requests.map((request) => this.#journalPart(request))
    const replies = await runBatch(this.#runner, 'journal-write', parts, () => [this.#ttlMs.dead])
    return requests.map(({ owner, attempt }, index) =>
      transition(replies[index] ?? null, () => ({ state: 'claimed', owner, attempt })),
    )
  }

  async readJournal(refs: readonly HandlingRef[]): Promise<readonly ReadonlyMap<string, Buffer>[]> {
    const parts = refs.map(({ flowId, handlingId }) => ({
      epochKey: this.#epochKey(flowId),
      keys: [this.#keys.journal(flowId, handlingId)],
      args: [],
      bytes: 0,
    }))
    const replies = await runBatch(this.#runner, 'journal-read', parts, () => [])
    return replies.map((reply) => fieldsOf(reply as readonly Buffer[]))
  }

  async join(requests: readonly JoinRequest[]): Promise<readonly JoinAnswer[]> {
    this.#hasJoined = true
    const answers = new Array<JoinAnswer>(requests.length)
    const byTopics = Map.groupBy(requests.entries(), ([, { topics }]) => topics.join())
    const runGroup = async (group: readonly [number, JoinRequest][]): Promise<void> => {
      const topics = group[0]?.[1].topics ?? []
      const parts = group.map(([, request]) => memberPart(request, this.#epochKey(request.flowId), this.#keys))
      const fixed = [this.#ttlMs.join, ...topicArguments(topics)]
      const replies = await runBatch(this.#runner, 'join', parts, () => fixed)
      for (const [at, [index]] of group.entries()) answers[index] = decodeAnswer(topics, replies[at] ?? null)
    }
    await Promise.all([...byTopics.values()].map(runGroup))
    return answers
  }

  async #change<R extends HandlingRef>(
    { script, argumentsOf, stateOf }: Change<R>,
    ttlMs: number,
    requests: readonly R[],
  ): Promise<readonly Transition[]> {
    const parts = requests.map((request) => this.#part(request, argumentsOf(request)))
    const replies = await runBatch(this.#runner, script, parts, () => [ttlMs])
    return requests.map((request, index) => transition(replies[index] ?? null, () => stateOf(request)))
  }

  #packed<R extends HandlingRef>(script: ScriptName, fixed: readonly number[]): PackedCall<R> {
    return {
      script,
      fixed: [...fixed, this.#keys.handlingsBase],
      epochKeyOf: ({ flowId }) => this.#epochKey(flowId),
      sizeOf: () => 0,
      write: (_request, _target, at) => at,
    }
  }

  #part({ flowId, handlingId }: HandlingRef, args: Arguments): Part {
    let bytes = 0
    for (const arg of args) if (typeof arg === 'object') bytes += arg.length
    return { epochKey: this.#epochKey(flowId), keys: [this.#keys.handling(flowId, handlingId)], args, bytes }
  }

  /** What is to be dropped goes along: the journal, and the join where the handling is that of a join. */
  #finishPart({ flowId, handlingId, hasJournal = false }: FinishRequest): FinishPart {
    const part = this.#part({ flowId, handlingId }, [])
    const isJoin = this.#hasJoined && handlingId === joinHandlingId(this.#agent, flowId)
    if (!isJoin && !hasJournal) return { ...part, kinds: 'h' }
    const join = isJoin ? [this.#keys.join(flowId)] : []
    const journal = hasJournal ? [this.#keys.journal(flowId, handlingId)] : []
    return {
      ...part,
      keys: [...part.keys, ...join, ...journal],
      kinds: `h${isJoin ? 'j' : ''}${hasJournal ? 's' : ''}`,
    }
  }

  #journalPart({ flowId, handlingId, owner, attempt, name, value }: JournalRequest): Part {
    return {
      epochKey: this.#epochKey(flowId),
      keys: [this.#keys.handling(flowId, handlingId), this.#keys.journal(flowId, handlingId)],
      args: [claimTail(owner, attempt), name, value],
      bytes: value.length,
    }
  }

  #epochKey(flowId: Uuid): string {
    return this.#keys.epoch(this.#isCluster ? flowSlot(flowId, SLOTS) : undefined)
  }
}

const ABSENT: HandlingState = { state: 'absent' }
const DONE: HandlingState = { state: 'done' }

/** 1, or nothing said: as requested; a list: accepted, holding the value; else refused, with the value. */
function transition(reply: Reply | undefined, stateOf: () => HandlingState): Transition {
  if (reply === 1 || reply === undefined) return { accepted: true, current: stateOf() }
  if (Array.isArray(reply)) return { accepted: true, current: decodeState(reply[0] as Buffer) }
  return { accepted: false, current: decodeState(reply as Buffer | null) }
}

function fieldsOf(reply: readonly Buffer[]): ReadonlyMap<string, Buffer> {
  const fields = new Map<string, Buffer>()
  for (let at = 0; at + 1 < reply.length; at += 2)
    fields.set(reply[at]?.toString('utf8') ?? '', reply[at + 1] ?? Buffer.alloc(0))
  return fields
}

/** A transition of which all that differs is said here: its script, the arguments of one request, the state it enters. */
interface Change<R> {
  readonly script: ScriptName
  readonly argumentsOf: (request: R) => Arguments
  readonly stateOf: (request: R) => HandlingState
}

const CLAIM: Change<ClaimRequest> = {
  script: 'claim',
  argumentsOf: ({ owner, from, deaths = 0 }) => {
    const count = Buffer.from([deaths])
    if (from === 'absent') return ['', claimTail(owner, 1), count]
    if ('deadGeneration' in from) return [...redriveArguments(from.deadGeneration, owner), count]
    const tail = claimTail(owner, from.attempt + 1)
    if ('handed' in from) return [Buffer.concat([HANDED, handedTail(from.handed, from.attempt)]), tail, count]
    return [Buffer.concat([TAKE_OVER, claimTail(from.owner, from.attempt)]), tail, count]
  },
  // Not asked for a redrive: its answer carries the state, because only Redis knows the attempt.
  stateOf: ({ owner, from, deaths = 0 }) => {
    const attempt = typeof from === 'object' && 'attempt' in from ? from.attempt + 1 : 1
    const isCounted = deaths > 0 && !(typeof from === 'object' && 'handed' in from)
    return { state: 'claimed', owner, attempt, ...(isCounted ? { deaths } : {}) }
  },
}

const COMPUTE: Change<ComputeRequest> = {
  script: 'compute',
  argumentsOf: (request) => {
    const { value, ownBytes } = computedValue(request)
    return [expectation(request.from), value, ownBytes]
  },
  stateOf: ({ owner, attempt, position, outputs }) => ({ state: 'computed', owner, attempt, position, outputs }),
}

/** Behind slot and id: the length of the value without outputs, that of the value, and the value. */
const COMPUTE_NEW: Pick<PackedCall<ComputeRequest>, 'sizeOf' | 'write'> = {
  sizeOf: (request) => 8 + computedBytes(request),
  write: (request, target, at) => {
    const end = writeComputed(request, target, at + 8)
    const bytes = end - at - 8
    target.writeUInt32BE(bytes, target.writeUInt32BE(bytes - request.outputs.length, at))
    return end
  },
}

const HAND: Change<HandRequest> = {
  script: 'hand',
  argumentsOf: ({ from, kind, attempt }) => [expectation(from), handedTail(kind, attempt)],
  stateOf: ({ kind, attempt }) => ({ state: 'handed', kind, attempt }),
}

const BURY: Change<BuryRequest> = {
  script: 'bury',
  argumentsOf: ({ from, note }) => [burialExpectation(from), note],
  // Never asked: the answer carries the state, because only Redis knows the generation.
  stateOf: () => ABSENT,
}

const SETTLE: Change<SettleRequest> = {
  script: 'settle',
  argumentsOf: ({ generation }) => [generationBytes(generation)],
  stateOf: ({ generation }) => ({ state: 'dead', generation }),
}

const RELEASE: Change<ReleaseRequest> = {
  script: 'release',
  argumentsOf: ({ owner, attempt }) => [claimTail(owner, attempt), claimTail('', attempt)],
  // Never asked: the answer carries the state, because only Redis knows the deaths.
  stateOf: () => ABSENT,
}
