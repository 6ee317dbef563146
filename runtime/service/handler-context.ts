/** The context that one attempt gets. Signal and log are made only when the handler asks for them. */
import type { HandlerContext, Publish } from '../context.ts'
import type { Topic } from '../events.ts'
import type { OutputCollector } from '../handle/output-collector.ts'
import type { Cancellation } from '../ports/cancellation.ts'
import type { Logger } from '../ports/logger.ts'
import type { Work } from './work.ts'

export interface HandlerContextOptions {
  readonly work: Work
  readonly attempt: number
  readonly deadlineAtMs: number
  readonly cancellation: Cancellation
  readonly collector: OutputCollector
  readonly log: Logger
}

/** See {@link HandlerContext}. */
export class AttemptContext implements HandlerContext {
  readonly publish: Publish<Topic>
  readonly eventId: string
  readonly topic: Topic
  readonly flowId: string
  readonly causes: readonly string[]
  readonly hop: number
  readonly attempt: number
  readonly deadlineAtMs: number
  readonly #cancellation: Cancellation
  readonly #log: Logger

  constructor(options: HandlerContextOptions) {
    const { work, collector } = options
    this.publish = (topic, value, publishOptions) => collector.publish(topic, value, publishOptions)
    this.eventId = work.ref.handlingId
    this.topic = work.task.topic as Topic
    this.flowId = work.ref.flowId
    this.causes = work.causes
    this.hop = work.hop
    this.attempt = options.attempt
    this.deadlineAtMs = options.deadlineAtMs
    this.#cancellation = options.cancellation
    this.#log = options.log
  }

  get signal(): AbortSignal {
    return this.#cancellation.signal
  }

  get log(): Logger {
    return this.#log.child({ flowId: this.flowId, eventId: this.eventId, topic: this.topic, attempt: this.attempt })
  }
}
