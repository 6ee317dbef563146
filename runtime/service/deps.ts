/** What the handling of one agent's records works with: the stages, already wired. */
import type { EventCodec } from '../../contracts/codec.ts'
import type { TopicContract } from '../../contracts/contract.ts'
import type { EnvelopeBlocks } from '../../contracts/envelope-block.ts'
import type { EventTracer } from '../../tracing/event-tracer.ts'
import type { HandlingMeter } from '../../tracing/handling-meter.ts'
import type { Admission } from '../admit/admission.ts'
import type { LeaseKeeper } from '../admit/lease-keeper.ts'
import type { Tenure } from '../admit/tenure.ts'
import type { Trials } from '../admit/trials.ts'
import type { Agent } from '../agent.ts'
import type { Task } from '../consume/task.ts'
import type { HandlingRef } from '../ports/claim-store.ts'
import type { Parking } from '../park/parking.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { ResultStore } from '../ports/result-store.ts'
import type { BatchingProducer } from '../publish/batching-producer.ts'
import type { FactWriter } from '../publish/fact-writer.ts'

/** What steps need beyond the stages. */
export interface StepDeps {
  /** Results above it go to `results`. */
  readonly maxResultBytes: number
  /** Undefined: larger results are refused. */
  readonly results: ResultStore | undefined
  /** See `HandlingJournalOptions.recall`. */
  readonly recall?: (ref: HandlingRef) => Promise<ReadonlyMap<string, Buffer>>
}

export interface HandlingDeps {
  readonly agent: Agent
  /** Consumer group, namespace included: what traces name. */
  readonly group: string
  readonly instance: string
  readonly contractOf: (topic: string) => TopicContract
  readonly codec: EventCodec
  /** Writes the headers of what the agent publishes. */
  readonly envelopes: EnvelopeBlocks
  readonly admission: Admission
  readonly leases: LeaseKeeper
  readonly producer: BatchingProducer
  readonly facts: FactWriter
  readonly tracer: EventTracer
  readonly meter: HandlingMeter
  readonly clock: Clock
  readonly log: Logger
  /** The agent's `accepts`, compiled, by topic. */
  readonly accepts: ReadonlyMap<string, (event: unknown) => boolean>
  readonly steps: StepDeps
  /** Keeps the order of keys behind failed events; undefined where there is no such order. */
  readonly parking?: Parking | undefined
  /** Knows after whose deaths which records are suspects, and tries them; undefined where nothing is remembered. */
  readonly deaths?: { readonly tenure: Tenure; readonly trials: Trials } | undefined
  /** Records of the agent's own topics have ended, well or not. */
  readonly onEnded?: (hasFailed: boolean, count?: number) => void
  /** A schema is asked for in vain, or has come after all. */
  readonly onRegistry?: (isAvailable: boolean) => void
  /** A handler does not answer at once: `Handling.waitingCount` has grown. */
  readonly onWaiting?: () => void
  /** True when the record holds up so many finished ones behind it that it has to leave its lane. */
  readonly isPinning?: (task: Task) => boolean
  /** False only in tests that show what dedup is for. */
  readonly dedup: boolean
  /** Aborted when the process gives up waiting for servers. */
  readonly signal: AbortSignal
  /** The input is finished: everything that follows from it is acknowledged. */
  readonly finish: (task: Task) => void
  /** An invariant is broken: the process must stop without committing. */
  readonly onBug: (error: unknown) => void
}
