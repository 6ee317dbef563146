/** What a handler receives besides its event. Interface only. */
import type { Logger } from './ports/logger.ts'
import type { EventOf, Topic } from './events.ts'
import type { RunEffect, RunSleep, RunStep } from './steps.ts'

/** Options of one published event. */
export interface PublishOptions {
  /** Names this output within its topic, so that its id does not depend on the order of publish calls. @default its ordinal */
  readonly name?: string
  /** Record key. @default the contract's key field, else the flow id */
  readonly key?: string
}

/**
 * Adds an event to the outputs of this handling and returns its id. It appears on the log only if the handler succeeds,
 * with the same id and bytes on every attempt.
 * @throws LABAN_CONTRACT_VALIDATION at once when the value does not fit its contract, LABAN_CONTRACT_RULE, LABAN_BROKER_MESSAGE_TOO_LARGE
 */
export type Publish<P extends Topic> = <T extends P>(topic: T, value: EventOf<T>, options?: PublishOptions) => string

/** The circumstances of one attempt to handle one event. */
export interface HandlerContext<P extends Topic = Topic> {
  readonly publish: Publish<P>
  /** See {@link RunStep}. The first step or effect claims the handling; a handler without any costs no claim. */
  readonly step: RunStep
  /** See {@link RunEffect}. */
  readonly effect: RunEffect
  /** See {@link RunSleep}. */
  readonly sleep: RunSleep
  /** Aborted by time-out, lost lease, revocation with `onRevoke: 'abort'`, a long sleep and shutdown. Pass it to everything that waits. */
  readonly signal: AbortSignal
  /** Structured log with agent, flow and event id. */
  readonly log: Logger
  /** Name of the agent that handles. */
  readonly agent: string
  /** Id of the handled event; for a join the id of the join's one handling. */
  readonly eventId: string
  /** Topic of the handled event; for a join the topic of the member that completed it. */
  readonly topic: Topic
  readonly flowId: string
  /** Ids of the events this handling consumes: one, or for a join one per topic. */
  readonly causes: readonly string[]
  /** Hop of the handled event: 0 for the first of a flow. */
  readonly hop: number
  /** 1 = first try. */
  readonly attempt: number
  /** Epoch milliseconds at which this attempt times out. */
  readonly deadlineAtMs: number
}
