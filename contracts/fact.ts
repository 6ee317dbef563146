/** The record of one handling, as it stands on `laban.facts`; the Avro form is `platform/fact.avsc`. */
import type { Uuid } from './ids.ts'

/** Newest fact format this laban reads and writes; a fact with a larger one is refused. */
export const FACT_FORMAT_VERSION = 1

/**
 * - `published`: a publisher put a first event on the log (no inputs, one output).
 * - `started`: a handling has been running for more than 2 s.
 * - `completed`, `rejected` (`accepts` was false), `dead-lettered`: ends of a handling.
 * - `retried`: an attempt failed and another follows.
 * - `duplicate`: the event had been handled before; skipped.
 * - `waiting`: a join member was recorded; `late`: a second event of one topic reached a join; neither fires it.
 * - the others belong to suspension, sagas, gaps in the log and store loss.
 */
export type FactOutcome =
  | 'published'
  | 'started'
  | 'completed'
  | 'duplicate'
  | 'rejected'
  | 'retried'
  | 'dead-lettered'
  | 'waiting'
  | 'late'
  | 'suspended'
  | 'lost'
  | 'id-conflict'
  | 'compensated'
  | 'cancelled'

/** An event that a handling read, by its place in the log. */
export interface FactInput {
  readonly eventId: Uuid
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly hop: number
  readonly source: string
  readonly causes: readonly Uuid[]
  /** Timestamp of the record, epoch ms. */
  readonly recordedAtMs: number
  /** Record key where it is not the flow id. */
  readonly key: string | null
}

/** An event that a handling published, by its place in the log. */
export interface FactOutput {
  readonly eventId: Uuid
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly hash: string
  readonly key: string | null
}

/** A journalled step of a handling. */
export interface FactStep {
  readonly name: string
  readonly durationMs: number
  readonly cost: number | null
  readonly replayed: boolean
}

/** One fact. Field by field the Avro record. */
export interface Fact {
  readonly formatVersion: number
  readonly outcome: FactOutcome
  readonly flowId: Uuid
  readonly agent: string
  readonly agentVersion: string
  readonly instance: string
  /** The event's id, or for a join the id of its one handling. */
  readonly handlingId: Uuid
  readonly inputs: readonly FactInput[]
  /** 1 = first try. */
  readonly attempt: number
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly traceId: string | null
  readonly spanId: string | null
  readonly outputs: readonly FactOutput[]
  readonly steps: readonly FactStep[]
  readonly detail: Readonly<Record<string, string>>
}

/** What a fact is told of, whoever tells it. */
type FactSubject = Pick<Fact, 'outcome' | 'flowId' | 'agent' | 'instance' | 'handlingId'>

/** A fact of something that took no time, read nothing and led to nothing, but for what is said. */
export function momentaryFact(nowMs: number, said: FactSubject & Partial<Fact>): Fact {
  return {
    formatVersion: FACT_FORMAT_VERSION,
    agentVersion: '',
    inputs: [],
    attempt: 1,
    startedAtMs: nowMs,
    endedAtMs: nowMs,
    errorCode: null,
    errorMessage: null,
    traceId: null,
    spanId: null,
    outputs: [],
    steps: [],
    detail: {},
    ...said,
  }
}
