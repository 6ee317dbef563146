/** One execution of a handling, and how it may end. */
import type { LabanError } from '../../contracts/errors.ts'
import type { FactStep } from '../../contracts/fact.ts'
import type { ProcessSpan } from '../../tracing/event-tracer.ts'
import type { AttemptResult } from '../handle/attempt.ts'
import type { Output, OutputCollector } from '../handle/output-collector.ts'
import type { HandlingJournal } from '../journal/handling-journal.ts'
import type { Slept } from '../journal/sleepers.ts'
import type { Cancellation, CancelReason } from '../ports/cancellation.ts'
import type { RetryTier } from '../retry/next-attempt.ts'
import type { AttemptContext } from './handler-context.ts'
import type { Ownership } from './ownership.ts'
import type { Work } from './work.ts'

/** An attempt whose function has been called. */
export interface BegunAttempt {
  readonly attempt: number
  readonly startedAtMs: number
  readonly span: ProcessSpan
  readonly collector: OutputCollector
  readonly cancellation: Cancellation
  readonly context: AttemptContext | undefined
  readonly result: AttemptResult | Promise<AttemptResult>
}

/** One execution: its work, its claim, and what ends it early. */
export interface Run {
  readonly work: Work
  readonly ownership: Ownership
  readonly journal: HandlingJournal
  readonly cancellation: Cancellation
  /** Waits between two attempts; cancelled by a drain, which never waits for it. */
  readonly rest: (waitMs: number) => Promise<void>
  /** Its first attempt, where that has begun already. */
  readonly begun?: BegunAttempt
}

/** The next attempt is made from a retry topic. */
export interface PostponedEnd extends RetryTier {
  readonly kind: 'postponed'
  readonly error: LabanError
  readonly attempt: number
  /** Attempts since the handling first ran or was redriven. */
  readonly tries: number
  readonly startedAtMs: number
  readonly span: ProcessSpan
  readonly steps: readonly FactStep[]
}

/** It sleeps: the next attempt is made when the sleep ends. */
export interface SuspendedEnd {
  readonly kind: 'suspended'
  readonly slept: Slept
  readonly attempt: number
  /** Attempts that failed since the handling first ran or was redriven. */
  readonly tries: number
  readonly startedAtMs: number
  readonly span: ProcessSpan
  readonly steps: readonly FactStep[]
}

/** How an execution ended. */
export type ExecutionEnd =
  | {
      readonly kind: 'completed'
      readonly outputs: readonly Output[]
      readonly attempt: number
      readonly span: ProcessSpan
      readonly startedAtMs: number
      readonly steps: readonly FactStep[]
    }
  | { readonly kind: 'rejected'; readonly topic: string; readonly startedAtMs: number }
  | {
      readonly kind: 'dead'
      readonly error: LabanError
      readonly attempt: number
      readonly startedAtMs: number
      readonly steps?: readonly FactStep[]
      /** False: the record itself is broken, and its successors do not wait for it. @default true */
      readonly parks?: boolean
    }
  | PostponedEnd
  | SuspendedEnd
  | { readonly kind: 'cancelled'; readonly reason: CancelReason; readonly settled: Promise<void> }
