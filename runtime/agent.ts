/** `defineAgent`: an agent is one function on typed events plus a few policies. Pure data until a service runs it. */
import { LabanError } from '../contracts/errors.ts'
import { isPlatformAgent } from '../contracts/manifest.ts'
import type { HandlerContext } from './context.ts'
import type { EventOf, Topic } from './events.ts'
import type { StartFrom } from './ports/broker.ts'

/** One topic, several (any of them), or a join: one event of each topic per flow, handled once. */
export type Consumes = Topic | readonly Topic[] | JoinSpec

/** A join fires once per flow, when each topic has an event; the first of a topic counts, later ones are recorded as `late`. */
export interface JoinSpec {
  readonly all: readonly Topic[]
  /** How long members wait for the others; the retention of their topics must not be shorter. @default 604800000 (7 days) */
  readonly withinMs?: number
}

/**
 * What a successful handling publishes: a list means one of each, always. Otherwise `always`, exactly one of `oneOf`,
 * and any of `maybe`. A handling that breaks this is dead-lettered.
 */
export type Produces =
  | readonly Topic[]
  | { readonly always?: readonly Topic[]; readonly oneOf?: readonly Topic[]; readonly maybe?: readonly Topic[] }

/** Topics of a `consumes`. */
export type ConsumedTopic<C extends Consumes> = C extends Topic
  ? C
  : C extends readonly Topic[]
    ? C[number]
    : C extends JoinSpec
      ? C['all'][number]
      : never

/** Topics of a `produces`. */
export type ProducedTopic<P extends Produces> = P extends readonly Topic[]
  ? P[number]
  : P extends { readonly always?: infer A; readonly oneOf?: infer O; readonly maybe?: infer M }
    ? Extract<Element<A> | Element<O> | Element<M>, Topic>
    : never

type Element<L> = L extends readonly (infer E)[] ? E : never

/** What `handle` receives: the value, or for a join one value per topic. */
export type HandledEvent<C extends Consumes> = C extends JoinSpec
  ? { readonly [T in C['all'][number]]: EventOf<T> }
  : EventOf<ConsumedTopic<C>>

/** Retry: first in the lane, then in delayed retry topics. Later events of the same key wait all the while, unless `order: 'none'`. */
export interface RetryPolicy {
  /** Attempts in all; then dead letter. @default 8: five in the lane, one in each tier */
  readonly maxAttempts?: number
  /** Attempts in the lane before the handling goes to the first tier. @default 5 */
  readonly laneAttempts?: number
  /** How long a failing event may hold its lane, from its first attempt on; then it goes to a tier. @default 120000 (2 min) */
  readonly laneMs?: number
  /** Delay of each retry topic; a handling passes them in this order, one attempt in each. @default [60000, 600000, 3600000] */
  readonly tiersMs?: readonly number[]
  /** First backoff; doubles each time, with full jitter. @default 200 */
  readonly baseDelayMs?: number
  /** Longest backoff. @default 30000 */
  readonly maxDelayMs?: number
}

/** How an agent behaves; every field has a default. */
export interface AgentPolicies {
  readonly retry?: RetryPolicy
  /** Longest attempt; then its signal aborts and the attempt has failed. @default 600000 */
  readonly timeoutMs?: number
  /** How long a timed-out attempt may take to settle before the next one starts. @default 5000 */
  readonly abortGraceMs?: number
  /** `key`: one event of a key at a time, in order. `none`: every event by itself. @default 'key' */
  readonly order?: 'key' | 'none'
  /** Handlers of this agent that run at once in one process. @default 1000 */
  readonly maxInFlight?: number
  /** Where a group begins that has never committed. @default 'earliest' */
  readonly startFrom?: StartFrom
  /** What happens to running handlers whose partition moved away: an answer already paid for should end. @default 'finish' */
  readonly onRevoke?: 'finish' | 'abort'
  /**
   * When a handling that was begun under another version calls other steps than the recorded ones. `park`: a dead letter that names
   * both sequences. `restart`: its steps run again from the first; effects keep their results. Steps appended at the end are no
   * mismatch. @default 'park'
   */
  readonly onStepMismatch?: 'park' | 'restart'
  /** How long a handled id is remembered. @default 86400000 (24 h) */
  readonly dedupMs?: number
}

/** The argument of {@link defineAgent}. */
export interface AgentDefinition<C extends Consumes, P extends Produces> extends AgentPolicies {
  /** `<domain>.<agent>` in kebab case; also the consumer group. */
  readonly name: string
  readonly version: string
  /** One sentence for people. */
  readonly summary?: string
  readonly consumes: C
  readonly produces?: P
  /** CEL over `event`, per consumed topic; false ends the handling as `rejected`, which is a normal end. */
  readonly accepts?: { readonly [T in ConsumedTopic<C>]?: string }
  /**
   * The agent itself. It may run more than once for one event (a crash before its result was recorded);
   * what it publishes appears once. Throw `terminal()` for input that can never succeed.
   */
  handle(event: HandledEvent<C>, context: HandlerContext<ProducedTopic<P>>): void | Promise<void>
}

const AGENT = Symbol.for('laban.agent')

/** A checked agent with all defaults filled in: what services, manifests and start-up checks work with. */
export interface Agent {
  readonly [AGENT]: true
  readonly name: string
  readonly version: string
  readonly summary: string
  readonly topics: readonly string[]
  /** True: one event of each topic per flow. */
  readonly isJoin: boolean
  readonly joinWithinMs: number
  readonly always: readonly string[]
  readonly oneOf: readonly string[]
  readonly maybe: readonly string[]
  readonly accepts: Readonly<Record<string, string>>
  readonly retry: Required<RetryPolicy>
  readonly timeoutMs: number
  readonly abortGraceMs: number
  readonly order: 'key' | 'none'
  readonly maxInFlight: number
  readonly startFrom: StartFrom
  readonly onRevoke: 'finish' | 'abort'
  readonly onStepMismatch: 'park' | 'restart'
  readonly dedupMs: number
  readonly handle: (event: unknown, context: HandlerContext) => void | Promise<void>
}

const DAY_MS = 86_400_000
const RETRY_DEFAULTS: Required<RetryPolicy> = {
  maxAttempts: 8,
  laneAttempts: 5,
  laneMs: 120_000,
  tiersMs: [60_000, 600_000, 3_600_000],
  baseDelayMs: 200,
  maxDelayMs: 30_000,
}

/**
 * Defines an agent. Topics, fields and outputs are checked by the compiler against the generated contracts.
 * @throws LABAN_AGENT_INVALID when the definition contradicts itself
 * @example
 * export default defineAgent({
 *   name: 'credit.income-verification', version: '1.0.0',
 *   consumes: 'credit.application-received', produces: ['credit.income-verified'],
 *   handle(event, { publish }) { publish('credit.income-verified', verify(event)) },
 * })
 */
export function defineAgent<const C extends Consumes, const P extends Produces = readonly []>(
  definition: AgentDefinition<C, P>,
): Agent {
  const consumes: Consumes = definition.consumes
  const join = typeof consumes === 'object' && 'all' in consumes ? consumes : undefined
  const topics =
    join !== undefined ? join.all : typeof consumes === 'string' ? [consumes] : (consumes as readonly Topic[])
  const agent: Agent = {
    [AGENT]: true,
    name: definition.name,
    version: definition.version,
    summary: definition.summary ?? '',
    topics,
    isJoin: join !== undefined,
    joinWithinMs: join?.withinMs ?? 7 * DAY_MS,
    ...outputsOf(definition.produces ?? []),
    accepts: { ...(definition.accepts as Record<string, string> | undefined) },
    retry: { ...RETRY_DEFAULTS, ...definition.retry },
    timeoutMs: definition.timeoutMs ?? 600_000,
    abortGraceMs: definition.abortGraceMs ?? 5_000,
    order: definition.order ?? 'key',
    maxInFlight: definition.maxInFlight ?? 1_000,
    startFrom: definition.startFrom ?? 'earliest',
    onRevoke: definition.onRevoke ?? 'finish',
    onStepMismatch: definition.onStepMismatch ?? 'park',
    dedupMs: definition.dedupMs ?? DAY_MS,
    handle: definition.handle as Agent['handle'],
  }
  checkAgent(agent)
  return agent
}

/** True for a value made by {@link defineAgent}, from any copy of the package. */
export function isAgent(value: unknown): value is Agent {
  return typeof value === 'object' && value !== null && AGENT in value
}

function outputsOf(produces: Produces): Pick<Agent, 'always' | 'oneOf' | 'maybe'> {
  if (Array.isArray(produces)) return { always: produces as readonly Topic[], oneOf: [], maybe: [] }
  const { always = [], oneOf = [], maybe = [] } = produces as Exclude<Produces, readonly Topic[]>
  return { always, oneOf, maybe }
}

const AGENT_NAME = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/

function checkAgent(agent: Agent): void {
  const problem = findProblem(agent)
  if (problem !== undefined) throw new LabanError('LABAN_AGENT_INVALID', { agent: agent.name || '(no name)', problem })
}

function findProblem(agent: Agent): string | undefined {
  const outputs = [...agent.always, ...agent.oneOf, ...agent.maybe]
  if (!AGENT_NAME.test(agent.name)) return 'name must look like "<domain>.<agent>" in kebab case'
  if (agent.version === '') return 'version is empty'
  if (isPlatformAgent(agent.name)) return 'names that begin with "laban." are laban\'s own'
  if (agent.topics.length === 0) return 'consumes names no topic'
  if (new Set(agent.topics).size !== agent.topics.length) return 'consumes names a topic twice'
  if (agent.isJoin && agent.topics.length < 2) return 'a join needs at least two topics'
  if (new Set(outputs).size !== outputs.length) return 'produces names a topic twice'
  if (agent.oneOf.length === 1) return 'oneOf needs at least two topics; use always'
  if (agent.retry.maxAttempts < 1) return 'retry.maxAttempts must be at least 1'
  if (agent.retry.laneAttempts < 1) return 'retry.laneAttempts must be at least 1'
  const notRising = agent.retry.tiersMs.find((delayMs, index, all) => !(delayMs > (all[index - 1] ?? 0)))
  if (notRising !== undefined) return 'retry.tiersMs must be positive and rising'
  if (agent.timeoutMs <= 0) return 'timeoutMs must be positive'
  if (agent.maxInFlight < 1) return 'maxInFlight must be at least 1'
  const stranger = Object.keys(agent.accepts).find((topic) => !agent.topics.includes(topic))
  return stranger === undefined ? undefined : `accepts names ${stranger}, which the agent does not consume`
}
