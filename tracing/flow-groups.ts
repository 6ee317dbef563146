/**
 * The shapes of a flow that is read by groups: what agents did, by agent and event type, instead of event by event. Plain data that
 * stays small however large the flow is: it grows with the number of agents and topics, never with the number of events.
 */
import type { Uuid } from '../contracts/ids.ts'
import type { FlowEvent, FlowHandling, FlowStatus } from './flow-graph.ts'

/** Version of the JSON form; it grows when a field changes its meaning, not when one is added. */
export const GROUPED_FLOW_FORMAT_VERSION = 1

/** Handlings by status; every status is there. */
export type StatusCounts = Readonly<Record<FlowStatus, number>>

/** How durations are spread. */
export interface Spread {
  readonly leastMs: number
  readonly medianMs: number
  readonly mostMs: number
  readonly totalMs: number
}

/** Events of one type from one agent or publisher. */
export interface EventGroup {
  readonly kind: 'events'
  readonly id: string
  /** '' when nothing but their ids is known. */
  readonly topic: string
  /** Agent or publisher; null when unknown. */
  readonly source: string | null
  readonly count: number
  readonly leastHop: number | null
  readonly mostHop: number | null
  /** Timestamps of the first and the last record, epoch ms. */
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  /** Records beyond the first of each id. */
  readonly copies: number
  /** Agents that have not ended with some of them, and with how many; the most first. */
  readonly awaiting: readonly { readonly agent: string; readonly count: number }[]
}

/** A handling of a group, named because it needs a look. */
export interface GroupMember {
  readonly key: string
  /** The event that it handles, for a join the last that reached it. */
  readonly eventId: Uuid | null
  readonly status: FlowStatus
  readonly attempts: number
  readonly waitedMs: number | null
  readonly workedMs: number | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
}

/** What one agent made of events of one type; a join's one handling is a group of its own. */
export interface HandlingGroup {
  readonly kind: 'handlings'
  readonly id: string
  readonly agent: string
  /** Topics of what it handles, sorted. */
  readonly topics: readonly string[]
  readonly isJoin: boolean
  readonly count: number
  readonly statuses: StatusCounts
  readonly leastHop: number | null
  readonly mostHop: number | null
  /** From the first attempt that began to the last end, epoch ms. */
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  /** From the record of the last input to the first attempt. */
  readonly waited: Spread | null
  /** All attempts together, pauses between them not counted. */
  readonly worked: Spread | null
  /** Attempts of all handlings. */
  readonly attempts: number
  /** Handlings that took more than one attempt. */
  readonly retried: number
  readonly duplicatesSkipped: number
  readonly deadLetters: number
  /** Cost of all steps; null when none has a cost. */
  readonly cost: number | null
  /** Error codes of handlings that failed or are tried again, the most frequent first. */
  readonly errors: readonly { readonly code: string; readonly count: number }[]
  /** Handlings on the critical path. */
  readonly critical: number
  /** The first in the order of {@link GroupPage}: failed and stuck ones by name, then those that wait or run; at most five. */
  readonly attention: readonly GroupMember[]
  /** The handling that worked longest. */
  readonly slowest: GroupMember | null
}

/** Either kind; `kind` tells which. */
export type FlowGroup = EventGroup | HandlingGroup

/** An arrow between groups, and how many arrows of the graph it stands for. */
export interface GroupLink {
  readonly from: string
  readonly to: string
  readonly kind: 'consumed' | 'published' | 'late'
  readonly count: number
}

/** A group that the critical path passes. */
export interface CriticalGroup {
  readonly groupId: string
  /** Handlings of the group on the path; a loop passes its groups many times. */
  readonly handlings: number
  readonly workedMs: number
  readonly waitedMs: number
}

/** Completeness in numbers; the ids stand in the graph itself. */
export interface GroupedCompleteness {
  readonly complete: boolean
  readonly events: number
  readonly eventsSeen: number | null
  readonly reactionsExpected: number
  readonly reactionsEnded: number
  readonly unpublished: number
  readonly unaccounted: number
  readonly idConflicts: number
  readonly unknown: readonly string[]
}

/** See the file's head. */
export interface GroupedFlow {
  readonly formatVersion: number
  readonly flowId: Uuid
  readonly status: FlowStatus
  readonly traceId: string | null
  readonly startedAtMs: number | null
  readonly lastSeenAtMs: number | null
  readonly durationMs: number | null
  readonly events: number
  readonly handlings: number
  readonly statuses: StatusCounts
  /** Cost of all steps; null when none has a cost. */
  readonly cost: number | null
  /** In causal order of their first members. */
  readonly groups: readonly FlowGroup[]
  readonly links: readonly GroupLink[]
  /** Groups that the critical path passes, in the order in which it first does. */
  readonly criticalPath: readonly CriticalGroup[]
  readonly completeness: GroupedCompleteness
}

/** Some members of a group. Handlings: failed, stuck, waiting, running, unheard of, then completed; within each the longest first. Events: causal order. */
export type GroupPage = { readonly groupId: string; readonly total: number; readonly offset: number } & (
  | { readonly kind: 'handlings'; readonly members: readonly FlowHandling[] }
  | { readonly kind: 'events'; readonly members: readonly FlowEvent[] }
)
