/**
 * The graph of one flow: events and the handlings between them. Plain data, the same whatever order the facts came in; the JSON
 * output of `laban flow` is exactly this. Times are epoch milliseconds by the clocks of whoever wrote them; order never depends
 * on them.
 */
import type { FactOutcome, FactStep } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'

/** Version of the JSON form; it grows when a field changes its meaning, not when one is added. */
export const FLOW_GRAPH_FORMAT_VERSION = 1

/**
 * - `pending`: nothing has been heard of it yet. `processing`: it runs, or will be tried again.
 * - `waiting`: it waits for other events or for a person. `stuck`: it waits for something that nothing under way can bring.
 * - `completed`: it has ended as it should, which includes being rejected by the consumer's `accepts`, and a dead letter in whose place
 *   a corrected event runs.
 * - `failed`: dead-lettered.
 */
export type FlowStatus = 'pending' | 'processing' | 'waiting' | 'stuck' | 'completed' | 'failed'

/** A place in the log. */
export interface LogPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** One event of a flow. */
export interface FlowEvent {
  readonly id: Uuid
  /** '' when nothing but the id is known. */
  readonly topic: string
  /** Lowest known position; null when it was claimed but never met. */
  readonly position: LogPosition | null
  /** Record key where it is not the flow id. */
  readonly key: string | null
  /** 0 = first event; null when unknown. */
  readonly hop: number | null
  /** Agent or publisher; null when unknown. */
  readonly source: string | null
  readonly causes: readonly Uuid[]
  /** Timestamp of the record. */
  readonly recordedAtMs: number | null
  /** Key of the handling that published it; null for a first event. */
  readonly publishedBy: string | null
  /** Records of this id beyond the first: a republish after a crash. */
  readonly copies: number
  /** Agents that subscribe to its topic and have not ended with it. */
  readonly awaiting: readonly string[]
}

/** An attempt that failed and was followed by another. */
export interface FailedAttempt {
  readonly attempt: number
  readonly endedAtMs: number
  readonly errorCode: string | null
  readonly errorMessage: string | null
}

/** What only joins have. */
export interface JoinState {
  /** Topics it waits for; empty when no manifest tells. */
  readonly topics: readonly string[]
  /** Topics without a member yet. */
  readonly missing: readonly string[]
  readonly fired: boolean
  /** Second events of a topic, which came too late to be members. */
  readonly late: readonly Uuid[]
  /** From the first member's record to the last one's; null while there are fewer than two. */
  readonly gatheredMs: number | null
}

/** One agent's treatment of one event, or of the members of a join. */
export interface FlowHandling {
  /** `<agent>/<handling id>`. */
  readonly key: string
  readonly agent: string
  readonly handlingId: Uuid
  readonly status: FlowStatus
  /** The outcome of the fact that decided the status; null without a fact. */
  readonly outcome: FactOutcome | null
  readonly agentVersion: string
  readonly instance: string
  /** Events it consumed, for a fired join the completing one last. */
  readonly inputs: readonly Uuid[]
  readonly outputs: readonly Uuid[]
  readonly join: JoinState | null
  readonly hop: number | null
  /** Steps and effects of its last attempt that have a result, in the order in which the handler got them. */
  readonly steps: readonly FactStep[]
  /** 1 = it worked the first time; 0 = it has not run. */
  readonly attempts: number
  readonly failedAttempts: readonly FailedAttempt[]
  /** Copies of its input that were skipped. */
  readonly duplicatesSkipped: number
  /** Begin of its first attempt. */
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  /** From the record of its last input to its first attempt. */
  readonly waitedMs: number | null
  /** All attempts together, pauses between them not counted. */
  readonly workedMs: number | null
  /** From the record of its last input to its end. */
  readonly latencyMs: number | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
  /** `topic/partition@offset` of its dead letter. */
  readonly deadLetter: string | null
  readonly spanId: string | null
  /** What the fact that decided the status says besides: until when it sleeps, when it is retried, what became of a dead letter. */
  readonly detail: Readonly<Record<string, string>>
  /** True when no fact tells of it: it is derived from the events that it published. */
  readonly inferred: boolean
}

/** An arrow of the graph. `from` and `to` are event ids and handling keys. */
export interface FlowEdge {
  readonly from: string
  readonly to: string
  readonly kind: 'consumed' | 'published' | 'late'
}

/** Two records with one id and different contents. */
export interface IdConflict {
  readonly eventId: Uuid
  readonly positions: readonly LogPosition[]
}

/** Whether the graph is all there is, in numbers. A reaction is one agent's duty to end with one event. */
export interface Completeness {
  /** True when every reaction has ended and nothing below is amiss. */
  readonly complete: boolean
  readonly events: number
  /** Events that were met on the topics themselves; null when the topics were not read. */
  readonly eventsSeen: number | null
  readonly reactionsExpected: number
  readonly reactionsEnded: number
  /** Claimed by facts, but not met on the topics. */
  readonly unpublished: readonly Uuid[]
  /** Met on the topics, but named by no fact. */
  readonly unaccounted: readonly Uuid[]
  readonly idConflicts: readonly IdConflict[]
  /** What could not be found out, one sentence each. */
  readonly unknown: readonly string[]
}

/** See the file's head. Events and handlings stand in causal order: by hop, then by their causes, then by place. */
export interface FlowGraph {
  readonly formatVersion: number
  readonly flowId: Uuid
  readonly status: FlowStatus
  /** 32 hex digits: where the flow is found in a trace store. */
  readonly traceId: string | null
  readonly startedAtMs: number | null
  /** The last sign of life. */
  readonly lastSeenAtMs: number | null
  readonly durationMs: number | null
  readonly events: readonly FlowEvent[]
  readonly handlings: readonly FlowHandling[]
  readonly edges: readonly FlowEdge[]
  /** Handling keys from the first to the one that ended last: what the duration was spent on. */
  readonly criticalPath: readonly string[]
  readonly completeness: Completeness
}
