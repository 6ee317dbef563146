/** The context that one attempt gets. Signal and log are made only when the handler asks for them. */
import type { HandlerContext, Publish } from '../context.ts'
import type { Topic } from '../events.ts'
import type { RunEffect, RunSleep, RunStep } from '../steps.ts'
import type { OutputCollector } from '../handle/output-collector.ts'
import type { HandlingJournal } from '../journal/handling-journal.ts'
import type { StepSession } from '../journal/step-session.ts'
import type { Cancellation } from '../ports/cancellation.ts'
import type { Logger } from '../ports/logger.ts'
import type { Work } from './work.ts'

export interface HandlerContextOptions {
  readonly agent: string
  readonly work: Work
  readonly attempt: number
  readonly deadlineAtMs: number
  readonly cancellation: Cancellation
  readonly collector: OutputCollector
  readonly log: Logger
  /** Called once, at the first step. */
  readonly openSteps: () => StepSession
}

/** See {@link HandlerContext}. */
export class AttemptContext implements HandlerContext {
  readonly publish: Publish<Topic>
  readonly agent: string
  readonly eventId: string
  readonly topic: Topic
  readonly flowId: string
  readonly causes: readonly string[]
  readonly hop: number
  readonly attempt: number
  readonly deadlineAtMs: number
  readonly #cancellation: Cancellation
  readonly #log: Logger
  readonly #openSteps: HandlerContextOptions['openSteps']
  #journal: HandlingJournal | undefined
  #steps: StepSession | undefined

  constructor(options: HandlerContextOptions) {
    const { work, collector } = options
    this.publish = (topic, value, publishOptions) => collector.publish(topic, value, publishOptions)
    this.agent = options.agent
    this.eventId = work.ref.handlingId
    this.topic = work.task.topic as Topic
    this.flowId = work.ref.flowId
    this.causes = work.causes
    this.hop = work.hop
    this.attempt = options.attempt
    this.deadlineAtMs = options.deadlineAtMs
    this.#cancellation = options.cancellation
    this.#log = options.log
    this.#openSteps = options.openSteps
  }

  /** Gives the journal of the execution, which begins after a handler that began together with others. */
  attach(journal: HandlingJournal): void {
    this.#journal = journal
    this.#steps?.attach(journal)
  }

  get signal(): AbortSignal {
    return this.#cancellation.signal
  }

  get step(): RunStep {
    return (name, fn, options) => this.#session().step(name, fn, options)
  }

  get effect(): RunEffect {
    return (name, fn, options) => this.#session().effect(name, fn, options)
  }

  get sleep(): RunSleep {
    return (name, time) => this.#session().sleep(name, time)
  }

  /** The steps of this attempt, once it has called one. */
  get steps(): StepSession | undefined {
    return this.#steps
  }

  #session(): StepSession {
    if (this.#steps !== undefined) return this.#steps
    this.#steps = this.#openSteps()
    if (this.#journal !== undefined) this.#steps.attach(this.#journal)
    return this.#steps
  }

  get log(): Logger {
    return this.#log.child({ flowId: this.flowId, eventId: this.eventId, topic: this.topic, attempt: this.attempt })
  }
}
