/**
 * What the server of the console answers: the JSON that browser and server agree on, and nothing else. The page imports this file
 * alone. Times are epoch milliseconds by the clocks of whoever wrote them; statuses are text, because they may become more.
 */
import type { BodyView } from './api-flows.ts'

export type * from './api-flows.ts'

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
  /** One of laban's own, such as the ledger: no flow goes through it. */
  readonly isPlatform: boolean
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
  /** One of laban's own: it holds no events. */
  readonly isPlatform: boolean
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

/** Why something is as it is; the words are those of `laban why`. */
export interface VerdictView {
  readonly code: string
  /** `ended`, `moving`, `stands` or `notice`. */
  readonly standing: string
  readonly sentence: string
  readonly meaning: string
  readonly resolution: string
  readonly evidence: readonly { readonly name: string; readonly value: string; readonly seenIn: string }[]
  /** The command to run next. */
  readonly next: string | null
  readonly causes: readonly VerdictView[]
  readonly sinceMs: number | null
  readonly agent: string | null
}

/** `GET /api/flows/<id>/why`. */
export interface WhyView {
  readonly asOfMs: number
  /** Whether anything stands still. */
  readonly stands: boolean
  readonly verdict: VerdictView
  /** The end of the chain of causes: what is to be mended. */
  readonly root: VerdictView
  /** Others of the same flow that do not come from the same root, the weightiest first; of `others` the first ten. */
  readonly also: readonly VerdictView[]
  readonly others: number
  /** What could not be looked at, one sentence each. */
  readonly unseen: readonly string[]
}

/** One root cause and what it holds up. */
export interface StuckGroup {
  readonly cause: VerdictView
  readonly flows: number
  /** Those among them that were not looked at, but look like others that were. */
  readonly alike: number
  readonly sinceMs: number | null
  /** Flow ids of some of them, the oldest first. */
  readonly examples: readonly string[]
}

/** `GET /api/stuck`. */
export interface StuckWork {
  readonly groups: readonly StuckGroup[]
  /** Flows that have not ended well, those of them that were looked at one by one, and those of all that move. */
  readonly unfinished: number
  readonly looked: number
  readonly moving: number
  readonly unseen: readonly string[]
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
