/**
 * What the server of the console answers: the JSON that browser and server agree on, and nothing else. The page imports this file
 * alone. Times are epoch milliseconds by the clocks of whoever wrote them; statuses are text, because they may become more.
 */

/** Sent to the page with every failure. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly cause: string
  readonly remedy: string
}

/** `GET /api/about`. */
export interface About {
  readonly version: string
  /** What is looked at, for people: `Kafka at 127.0.0.1:19092`. */
  readonly target: string
  readonly namespace: string
  /** Whether flows come from the log itself or from a ledger. */
  readonly readsFrom: 'log' | 'ledger'
  readonly jaegerUrl: string | null
  readonly actions: {
    /** Whether an operator token is configured. */
    readonly enabled: boolean
    /** How to turn them on; '' when they are. */
    readonly howTo: string
  }
}

/** One running process of an agent. */
export interface InstanceView {
  readonly instance: string
  readonly host: string
  readonly pid: number
  readonly version: string
  /** `silent`: it has not been heard of for 30 s and did not say that it stopped. */
  readonly state: 'running' | 'draining' | 'stopped' | 'silent'
  readonly startedAtMs: number
  readonly seenAtMs: number
}

/** An agent as it is announced and as its consumer group stands. */
export interface AgentView {
  readonly name: string
  readonly summary: string
  /** Of the instances that run, sorted; of the last one when none does. */
  readonly versions: readonly string[]
  readonly state: 'running' | 'draining' | 'silent' | 'stopped'
  readonly consumes: readonly string[]
  readonly isJoin: boolean
  readonly always: readonly string[]
  readonly oneOf: readonly string[]
  readonly maybe: readonly string[]
  readonly policies: Readonly<Record<string, string>>
  readonly instances: readonly InstanceView[]
  /** Events that it has not ended with; null when its group has never committed. */
  readonly lag: number | null
  /** Events it ends with a second, over the last samples; null while there is one sample only. */
  readonly perSecond: number | null
  /** Dead letters that nobody has dealt with. */
  readonly deadLetters: number
}

/** A topic as its contract and the broker have it. */
export interface TopicView {
  readonly name: string
  readonly owner: string
  readonly exists: boolean
  readonly partitions: number
  /** Records that it holds now. */
  readonly records: number
  readonly perSecond: number | null
  readonly producers: readonly string[]
  readonly consumers: readonly string[]
}

/** `GET /api/topology`. */
export interface Topology {
  readonly takenAtMs: number
  readonly agents: readonly AgentView[]
  /** Topics that an agent consumes or produces. */
  readonly topics: readonly TopicView[]
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

/** The value of an event, or why it cannot be shown. */
export type BodyView = { readonly value: unknown } | { readonly problem: Problem; readonly bytes: string }

/** `GET /api/events/<topic>/<partition>/<offset>`: one record, read from the log now. */
export interface EventBody {
  readonly eventId: string
  readonly flowId: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly recordedAtMs: number
  readonly sizeBytes: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: BodyView
}

/** One dead letter in a list. */
export interface DeadLetterLine {
  readonly agent: string
  /** `topic/partition@offset` of the letter. */
  readonly place: string
  readonly eventId: string
  readonly flowId: string
  readonly topic: string
  readonly generation: number
  readonly status: string
  readonly code: string
  readonly message: string
  readonly attempts: number
  readonly failedAtMs: number
  readonly key: string | null
  /** From when the broker may forget it; null for never. */
  readonly expiresAtMs: number | null
}

/** Dead letters that failed alike. */
export interface DeadLetterGroupView {
  readonly id: string
  readonly agent: string
  readonly code: string
  readonly message: string
  /** First line of the stack, or ''. */
  readonly at: string
  readonly count: number
  /** Not dealt with yet. */
  readonly waiting: number
  readonly firstAtMs: number
  readonly lastAtMs: number
  /** The newest, at most 50. */
  readonly letters: readonly DeadLetterLine[]
}

/** `GET /api/dead-letters?all`. */
export interface DeadLetterList {
  readonly groups: readonly DeadLetterGroupView[]
  readonly waiting: number
  readonly total: number
}

/** What running a dead letter once more would set in motion. */
export interface RedrivePreview {
  readonly agent: string
  readonly attempt: number
  /** Agents that would hear of what it publishes, the nearest first. */
  readonly downstream: readonly { readonly agent: string; readonly by: readonly string[]; readonly distance: number }[]
  /** False when no instance of the agent runs: it happens when one starts. */
  readonly isRunning: boolean
  /** Sentences a person should read before. */
  readonly notes: readonly string[]
}

/** Something an operator did. */
export interface AuditEntry {
  readonly atMs: number
  readonly action: string
  readonly by: string
  readonly agent: string
  readonly eventId: string
  readonly flowId: string
  readonly note: string
}

/** `GET /api/dead-letters/<agent>/<place>`. */
export interface DeadLetterPage {
  readonly letter: DeadLetterLine & {
    readonly errorClass: string
    readonly stack: string
    readonly agentVersion: string
    readonly instance: string
    readonly note: string
    readonly markedAtMs: number | null
    readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number }
    readonly headers: Readonly<Record<string, string>>
  }
  readonly body: BodyView
  /** Why it went wrong and what helps, from the table of errors. */
  readonly explanation: { readonly cause: string; readonly remedy: string } | null
  /** The same handling's dead letters, oldest first. */
  readonly history: readonly DeadLetterLine[]
  readonly preview: RedrivePreview
  readonly audit: readonly AuditEntry[]
}

/** `POST /api/actions/redrive`, `/discard` and `/edit`; the operator token stands in the Authorization header. */
export interface ActionRequest {
  /** Places of dead letters, of one agent. */
  readonly letters: readonly { readonly agent: string; readonly place: string }[]
  /** Who does it; stands in the audit. */
  readonly by: string
  /** For `discard`. */
  readonly reason?: string
  /** For `edit`: the corrected value of the one letter. */
  readonly value?: unknown
}

/** The answer to an action. */
export interface ActionResult {
  readonly done: number
  /** For `edit`: id of the event that takes the place. */
  readonly eventId: string | null
}

/** Flows that stand still for one cause. */
export interface StuckGroup {
  readonly id: string
  readonly status: string
  /** Short name of the cause: a verdict, or what the flow source says. */
  readonly verdict: string
  /** One sentence for people. */
  readonly says: string
  readonly agents: readonly string[]
  readonly codes: readonly string[]
  readonly count: number
  readonly oldestAtMs: number | null
  readonly flows: readonly FlowLine[]
  /** Commands that help; may be empty. */
  readonly commands: readonly string[]
}

/** `GET /api/stuck`. */
export interface StuckWork {
  readonly groups: readonly StuckGroup[]
  readonly total: number
}

/** One topic's contract in a list. */
export interface ContractLine {
  readonly topic: string
  readonly owner: string
  readonly keyField: string | null
  readonly partitions: number
  readonly retentionMs: number
  readonly cleanup: string
  readonly rules: number
  readonly fields: number
  /** Released versions. */
  readonly versions: number
  readonly isPlatform: boolean
}

/** One field of an event. */
export interface FieldView {
  readonly name: string
  readonly type: string
  readonly doc: string
  readonly isOptional: boolean
}

/** One version of a contract. */
export interface ContractVersion {
  readonly name: string
  readonly schema: unknown
  readonly fields: readonly FieldView[]
  /** Fields that the version before did not have, and those that are gone. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** `GET /api/contracts/<topic>`. */
export interface ContractPage {
  readonly line: ContractLine
  readonly file: string
  readonly doc: string
  readonly rules: readonly { readonly name: string; readonly expression: string; readonly on: readonly string[] }[]
  readonly maxRecordBytes: number
  readonly current: ContractVersion
  /** Released versions, the newest first. */
  readonly history: readonly ContractVersion[]
  readonly producers: readonly string[]
  readonly consumers: readonly string[]
}
