/** What a run has left behind, as far as it can be seen from outside: records on the log, commits, and calls in the outside world. */

/** What is known beforehand of an agent: nothing here is read from the runtime. */
export interface CheckedAgent {
  readonly name: string
  readonly topics: readonly string[]
  /** True: one event of each topic per flow, handled once. */
  readonly isJoin: boolean
  /** One of each for every handling. */
  readonly always: readonly string[]
  /** Exactly one of these for every handling, if there are any. */
  readonly oneOf: readonly string[]
  /** At most one of each. */
  readonly maybe: readonly string[]
  /** Input topic to an output topic that has the same key and as many partitions: order shows there. */
  readonly inOrder: Readonly<Record<string, string>>
}

/** What should have happened. */
export interface Choreography {
  readonly agents: readonly CheckedAgent[]
  /** Where flows begin. */
  readonly firstTopic: string
  /** How many were begun. */
  readonly flows: number
}

/** Where a record lies. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A record of an event. */
export interface LogEvent extends Place {
  readonly id: string
  readonly flowId: string
  readonly source: string
  readonly causes: readonly string[]
  readonly key: string
  /** Hash of key, value and all `ce_*` headers. */
  readonly content: string
  readonly atMs: number
}

/** A record on `laban.facts`. */
export interface LogFact {
  readonly agent: string
  readonly outcome: string
  readonly flowId: string
  readonly handlingId: string
  readonly attempt: number
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly atMs: number
}

/** A record on `<agent>.journal` that holds the result of a durable step. */
export interface LogResult {
  readonly agent: string
  readonly handlingId: string
  readonly step: string
  readonly atMs: number
}

/** A committed position as it was seen while the agents ran. */
export interface OffsetSample extends Place {
  readonly agent: string
  readonly metadata: string
  readonly seenAtMs: number
}

/** A call that the outside world has received. */
export interface OutsideCall {
  /** `begin`: the handler started; otherwise the name of its step. */
  readonly what: string
  readonly eventId: string
  readonly pid: number
  readonly atMs: number
  /** Idempotency key, of an effect. */
  readonly key: string
  /** False: the key was known, so that nothing was done. */
  readonly isApplied: boolean
  /** What the caller had in hand: results of the steps before. */
  readonly told: string
}

/** A time in which a process may lose its work to another one: from its death on, while it was frozen, until its lease was lost. */
export interface Interruption {
  readonly pid: number
  readonly fromMs: number
  readonly untilMs: number
}

/** A process that was killed. */
export interface Death {
  readonly pid: number
  readonly atMs: number
}

/** A record of `<agent>.dead-letter`: a dead letter with its reason, or what became of one. */
export interface LogDeadLetter extends Place {
  readonly agent: string
  readonly id: string
  /** Error code; '' when it says what became of an earlier one. */
  readonly reason: string
  /** `redriven`, `resolved`, …; '' for a dead letter. */
  readonly mark: string
}

/** See the file's head. */
export interface History {
  readonly events: readonly LogEvent[]
  /** Records of retry topics: the events of `events` once more. */
  readonly handedOver: readonly (LogEvent & { readonly agent: string })[]
  readonly deadLetters: readonly LogDeadLetter[]
  readonly facts: readonly LogFact[]
  readonly results: readonly LogResult[]
  readonly samples: readonly OffsetSample[]
  readonly calls: readonly OutsideCall[]
  readonly interruptions: readonly Interruption[]
}

/** Something that must not be. */
export interface Violation {
  /** `I1` to `I8` of the protocol. */
  readonly rule: string
  /** Something that should be there is not; something is there more often than it may be; or neither. */
  readonly kind: 'lost' | 'doubled' | 'wrong'
  readonly problem: string
}

/** `topic/partition@offset` */
export function textOfPlace({ topic, partition, offset }: Place): string {
  return `${topic}/${partition}@${offset}`
}

/** The first record of each id, in the order of the list. */
export function firstOfEachId<T extends { readonly id: string }>(events: readonly T[]): readonly T[] {
  const seen = new Set<string>()
  return events.filter(({ id }) => !seen.has(id) && seen.add(id))
}
