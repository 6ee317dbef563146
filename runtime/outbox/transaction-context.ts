/** The context of a handler in a transaction: the handler's own, with the connection, and with a note of what it publishes. */
import { LabanError } from '../../contracts/errors.ts'
import { encodeValue, ValueProblem } from '../../contracts/value-format.ts'
import type { HandlerContext, Publish, PublishOptions } from '../context.ts'
import type { Topic } from '../events.ts'
import type { Logger } from '../ports/logger.ts'
import type { RunEffect, RunSleep, RunStep } from '../steps.ts'
import type { SqlClient } from './sql.ts'

/** A published event as it is kept with the transaction: its value in the form of `contracts/value-format.ts`. */
export interface KeptOutput {
  readonly topic: string
  readonly value: string
  readonly options: PublishOptions
}

/** What a handler in a transaction gets. */
export interface TransactionContext<P extends Topic, C extends SqlClient> extends HandlerContext<P> {
  /** The open transaction: everything that is done by it is kept together with the handling, or not at all. */
  readonly db: C
}

/** See the file's head. */
export class KeepingContext<P extends Topic, C extends SqlClient> implements TransactionContext<P, C> {
  readonly db: C
  readonly outputs: KeptOutput[] = []
  readonly publish: Publish<P>
  readonly #inner: HandlerContext<P>

  constructor(inner: HandlerContext<P>, db: C) {
    this.#inner = inner
    this.db = db
    this.publish = (topic, value, options = {}) => {
      const id = inner.publish(topic, value, options)
      this.outputs.push({ topic, value: textOf(inner.agent, topic, value), options })
      return id
    }
  }

  get step(): RunStep {
    return this.#inner.step
  }

  get effect(): RunEffect {
    return this.#inner.effect
  }

  get sleep(): RunSleep {
    return this.#inner.sleep
  }

  get signal(): AbortSignal {
    return this.#inner.signal
  }

  get log(): Logger {
    return this.#inner.log
  }

  get agent(): string {
    return this.#inner.agent
  }

  get eventId(): string {
    return this.#inner.eventId
  }

  get topic(): Topic {
    return this.#inner.topic
  }

  get flowId(): string {
    return this.#inner.flowId
  }

  get causes(): readonly string[] {
    return this.#inner.causes
  }

  get hop(): number {
    return this.#inner.hop
  }

  get attempt(): number {
    return this.#inner.attempt
  }

  get deadlineAtMs(): number {
    return this.#inner.deadlineAtMs
  }
}

/** An event's value as text. @throws LABAN_OUTBOX_VALUE */
export function textOf(source: string, topic: string, value: unknown): string {
  try {
    return encodeValue(value)
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error
    throw new LabanError('LABAN_OUTBOX_VALUE', { source, topic, path: error.path, problem: error.message })
  }
}
