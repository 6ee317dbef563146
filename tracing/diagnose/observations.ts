/**
 * What was seen of the world around a flow, as plain data: whoever can look (command line, console, a test) fills it in, and
 * `diagnose` judges. Everything may be missing: what could not be looked at is null or absent, and is never taken for absence.
 */
import type { Manifest } from '../../contracts/manifest.ts'

/** Whether a server answers whoever looks. */
export type ServerSeen = { readonly state: 'ok' | 'unasked' } | { readonly state: 'away'; readonly problem: string }

/** The lease of a process in the store. */
export interface LeaseSeen {
  /** Until it ends by itself; null: it is gone. */
  readonly remainingMs: number | null
  /** What the process says of its agents at every renewal: by agent, a sentence by code. */
  readonly problems: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** A partition as an agent reads it. */
export interface PartitionSeen {
  readonly startOffset: number
  readonly endOffset: number
  /** Next offset to read; null when the group has never committed. */
  readonly committed: number | null
  /** Finished offsets above the committed one. */
  readonly finishedAbove: number
  /** How many offsets were finished between two looks. */
  readonly moved: number
  /** Between the two looks. */
  readonly overMs: number
}

/** A consumer group; Kafka's names of states. */
export interface GroupSeen {
  readonly state: string
  readonly members: number
}

/** What was seen of one agent. */
export interface AgentSeen {
  readonly group: GroupSeen | null
  /** The group of its retry topics. */
  readonly retryGroup: GroupSeen | null
  /** By `topic/partition`. */
  readonly partitions: ReadonlyMap<string, PartitionSeen>
  /** Of its recent handlings; null when there are too few. */
  readonly usual: { readonly p50Ms: number; readonly p99Ms: number; readonly count: number } | null
  /** False while the store is being rebuilt for this agent; null when unknown. */
  readonly isRecovered: boolean | null
}

/** What the store knows of one handling. */
export type ClaimSeen =
  | { readonly state: 'absent' | 'done' }
  | { readonly state: 'claimed' | 'computed'; readonly owner: string; readonly attempt: number }
  | { readonly state: 'handed'; readonly kind: string; readonly attempt: number }
  | { readonly state: 'dead'; readonly generation: number; readonly isSettled: boolean }

/** A journalled step. */
export interface StepSeen {
  readonly name: string
  readonly hasEnded: boolean
  readonly begunAtMs: number
  readonly durationMs: number
}

/** The event of the same key that comes first. */
export interface PredecessorSeen {
  readonly eventId: string
  readonly flowId: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly what: 'dead-letter' | 'retry' | 'suspended' | 'open'
  readonly recordedAtMs: number | null
  readonly claim: ClaimSeen | null
  readonly deadLetter: DeadLetterSeen | null
}

/** A dead letter, as its topic tells. */
export interface DeadLetterSeen {
  readonly place: string
  readonly status: string
  readonly code: string
  readonly message: string
  readonly failedAtMs: number
  /** What was said when it was given up or replaced, and when. */
  readonly note: string
  readonly markedAtMs: number | null
}

/** What was seen of one handling. */
export interface HandlingSeen {
  readonly claim: ClaimSeen | null
  /** True when the commits of the group say that its input is finished; null when unknown. */
  readonly isInputFinished: boolean | null
  readonly steps: readonly StepSeen[]
  readonly predecessor: PredecessorSeen | null
  /** Records before it in its partition that live instances are handling. */
  readonly runningAhead: number
  /** Undefined: not looked for. Null: looked for and not there. */
  readonly deadLetter: DeadLetterSeen | null | undefined
}

/** See the file's head. Agents, leases and handlings are there as far as they were looked at. */
export interface Observations {
  readonly nowMs: number
  readonly manifests: readonly Manifest[]
  readonly store: ServerSeen
  readonly registry: ServerSeen
  /** By instance. */
  readonly leases: ReadonlyMap<string, LeaseSeen>
  readonly agents: ReadonlyMap<string, AgentSeen>
  /** By handling key. */
  readonly handlings: ReadonlyMap<string, HandlingSeen>
  /** First offsets that are still there, by `topic/partition`. */
  readonly logStarts: ReadonlyMap<string, number>
  /** `expects.within` of contracts, by topic. */
  readonly expectedWithinMs: ReadonlyMap<string, number>
  /** True for a run that has ended: nothing of it can be alive. */
  readonly isOver: boolean
  /** What could not be looked at, one sentence each. */
  readonly unseen: readonly string[]
}
