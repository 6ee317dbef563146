/** Answers about flows and their events; a part of `api.ts`. */

/** Sent to the page with every failure. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly cause: string
  readonly remedy: string
}

/** One line about a flow. */
export interface FlowLine {
  readonly flowId: string
  readonly status: string
  readonly firstTopic: string
  readonly keys: readonly string[]
  readonly startedAtMs: number | null
  readonly durationMs: number | null
  readonly events: number
  readonly handlings: number
  readonly complete: boolean
  readonly agents: readonly string[]
  readonly errorCodes: readonly string[]
  readonly attention: readonly string[]
}

/** `GET /api/flows?key&status&agent&error&since&until&limit`. */
export interface FlowList {
  readonly flows: readonly FlowLine[]
  readonly total: number
  readonly takenAtMs: number
}

/** How durations are spread. */
export interface SpreadView {
  readonly leastMs: number
  readonly medianMs: number
  readonly mostMs: number
  readonly totalMs: number
}

/** Events of one type from one source. */
export interface EventGroupView {
  readonly kind: 'events'
  readonly id: string
  readonly topic: string
  readonly source: string | null
  readonly count: number
  readonly leastHop: number | null
  readonly mostHop: number | null
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  readonly copies: number
  readonly awaiting: readonly { readonly agent: string; readonly count: number }[]
}

/** What one agent made of events of one type. */
export interface HandlingGroupView {
  readonly kind: 'handlings'
  readonly id: string
  readonly agent: string
  readonly topics: readonly string[]
  readonly isJoin: boolean
  readonly count: number
  readonly statuses: Readonly<Record<string, number>>
  readonly leastHop: number | null
  readonly mostHop: number | null
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  readonly waited: SpreadView | null
  readonly worked: SpreadView | null
  readonly attempts: number
  readonly retried: number
  readonly duplicatesSkipped: number
  readonly deadLetters: number
  readonly cost: number | null
  readonly errors: readonly { readonly code: string; readonly count: number }[]
  /** Handlings on the critical path. */
  readonly critical: number
}

/** Either kind of group. */
export type GroupView = EventGroupView | HandlingGroupView

/** An event of a flow, by its place in the log. */
export interface EventView {
  readonly id: string
  readonly topic: string
  readonly position: { readonly topic: string; readonly partition: number; readonly offset: number } | null
  readonly key: string | null
  readonly hop: number | null
  readonly source: string | null
  readonly causes: readonly string[]
  readonly recordedAtMs: number | null
  readonly publishedBy: string | null
  readonly copies: number
  readonly awaiting: readonly string[]
}

/** One agent's treatment of one event, or of the members of a join. */
export interface HandlingView {
  readonly key: string
  readonly agent: string
  readonly status: string
  readonly outcome: string | null
  readonly agentVersion: string
  readonly instance: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly join: {
    readonly topics: readonly string[]
    readonly missing: readonly string[]
    readonly fired: boolean
    readonly late: readonly string[]
    readonly gatheredMs: number | null
  } | null
  readonly hop: number | null
  readonly steps: readonly {
    readonly name: string
    readonly durationMs: number
    readonly cost: number | null
    readonly replayed: boolean
  }[]
  readonly attempts: number
  readonly failedAttempts: readonly {
    readonly attempt: number
    readonly endedAtMs: number
    readonly errorCode: string | null
    readonly errorMessage: string | null
  }[]
  readonly duplicatesSkipped: number
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  readonly waitedMs: number | null
  readonly workedMs: number | null
  readonly latencyMs: number | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly deadLetter: string | null
  readonly inferred: boolean
}

/** `GET /api/flows/<id>`: always the groups; the graph itself only while a person can read it. */
export interface FlowView {
  readonly flowId: string
  readonly status: string
  readonly traceId: string | null
  readonly startedAtMs: number | null
  readonly lastSeenAtMs: number | null
  readonly durationMs: number | null
  readonly events: number
  readonly handlings: number
  readonly statuses: Readonly<Record<string, number>>
  readonly cost: number | null
  readonly groups: readonly GroupView[]
  readonly links: readonly {
    readonly from: string
    readonly to: string
    readonly kind: string
    readonly count: number
  }[]
  readonly criticalPath: readonly { readonly groupId: string; readonly handlings: number; readonly workedMs: number }[]
  readonly completeness: {
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
  /** Null for a flow with more than `maxGraphNodes` events and handlings: it is read by groups. */
  readonly graph: FlowGraphView | null
  readonly maxGraphNodes: number
}

/** All of a small flow, in causal order. */
export interface FlowGraphView {
  readonly events: readonly EventView[]
  readonly handlings: readonly HandlingView[]
  /** Handling keys. */
  readonly criticalPath: readonly string[]
}

/** `GET /api/flows/<id>/members?group&offset&limit`: one page of a group. */
export interface MemberPage {
  readonly groupId: string
  readonly total: number
  readonly offset: number
  readonly events: readonly EventView[]
  readonly handlings: readonly HandlingView[]
}

/** The value of an event, with `masked` where its contract hides parts of it; or why it cannot be shown. */
export type BodyView =
  { readonly value: unknown; readonly masked: boolean } | { readonly problem: Problem; readonly bytes: string }

/** `GET /api/events/<topic>/<partition>/<offset>`: one record, read now. */
export interface EventBody {
  readonly eventId: string
  readonly flowId: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The archive is asked when the log has forgotten it. */
  readonly from: 'log' | 'archive'
  readonly key: string | null
  readonly recordedAtMs: number
  readonly sizeBytes: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: BodyView
}
