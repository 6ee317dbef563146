/** A publisher on an open stack: how programs that are no agents begin flows and wait for their answers. */
import { hostname } from 'node:os'
import type { EventCodec } from '../contracts/codec.ts'
import { LabanError } from '../contracts/errors.ts'
import { firstEventId } from '../contracts/ids.ts'
import { noTracer } from '../tracing/create-tracer.ts'
import type { EventTracer } from '../tracing/event-tracer.ts'
import { openCodec, type Stack } from './compose.ts'
import type { EventOf, Topic } from './events.ts'
import type { Appended } from './ports/broker.ts'
import { BatchingProducer } from './publish/batching-producer.ts'
import { FactWriter } from './publish/fact-writer.ts'
import { FirstEvents, type FirstEvent } from './publish/first-events.ts'
import { TopicTail } from './topic-tail.ts'

/** Where a published event lies. */
export interface Published extends Appended {
  readonly eventId: string
  /** Equals the event id: the event begins the flow. */
  readonly flowId: string
}

/** Identity and key of a first event. */
export interface FirstEventOptions {
  /**
   * Identity of the event: publishing the same id again changes nothing. A UUID is taken as it is; any other text is hashed
   * together with the topic. @default drawn at random
   */
  readonly id?: string
  /** Record key. @default the contract's key field, else the flow id */
  readonly key?: string
}

/** Publishes first events. Safe to share; one per process is enough. */
export interface Publisher {
  /**
   * Begins a flow. Resolves when all in-sync replicas have the event and its fact.
   * @throws LABAN_CONTRACT_VALIDATION, LABAN_CONTRACT_RULE, LABAN_BROKER_REFUSED, LABAN_BROKER_MESSAGE_TOO_LARGE, LABAN_SHUTDOWN
   */
  publish<T extends Topic>(topic: T, value: EventOf<T>, options?: FirstEventOptions): Promise<Published>
  /** The same for many events in one send; all or nothing is encoded. */
  publishAll(events: readonly FirstEvent[]): Promise<readonly Published[]>
  /**
   * The first event of a flow on a topic, for callers that need the answer. Looks at what was recorded since this publisher was
   * made. @throws LABAN_WAIT_TIMEOUT
   */
  waitFor<T extends Topic>(flowId: string, topic: T, timeoutMs: number): Promise<EventOf<T>>
  /** Sends what is buffered and closes. */
  close(): Promise<void>
}

/** How a publisher presents itself. */
export interface PublisherOptions {
  /** `ce_source` of the events. @default 'laban.publish' */
  readonly source?: string
  readonly tracer?: EventTracer
}

const FLUSH_TIMEOUT_MS = 10_000
/** Clocks of this machine and the broker may differ by so much. */
const CLOCK_SLACK_MS = 60_000

/** A publisher on an open stack. @throws LABAN_SCHEMA_MISSING when a contract is not registered */
export async function publisherOn(stack: Stack, options: PublisherOptions = {}): Promise<Publisher> {
  const { broker, contracts, clock, log } = stack
  const source = options.source ?? 'laban.publish'
  const { codec } = await openCodec(stack)
  const producer = new BatchingProducer({
    producer: await broker.producer(),
    clock,
    log,
    maxBatchBytes: stack.config.producer.maxBatchBytes,
  })
  const facts = new FactWriter(producer, codec)
  const instance = `${hostname()}-${process.pid}`
  const tracer = options.tracer ?? noTracer
  const events = new FirstEvents({ source, instance, contracts, codec, producer, facts, tracer, clock })
  const tails = new Tails(stack, codec)
  const publishAll = async (firsts: readonly FirstEvent[]): Promise<readonly Published[]> => {
    const prepared = firsts.map((event) => events.prepare(event))
    const appended = await events.append(prepared)
    return prepared.map(({ eventId }, index) => ({ ...placeOf(appended, index), eventId, flowId: eventId }))
  }
  return {
    publishAll,
    publish: async (topic, value, { id, key } = {}) => {
      const [published] = await publishAll([
        { eventId: firstEventId(topic, id), topic, value, ...(key === undefined ? {} : { key }) },
      ])
      if (published === undefined)
        throw new LabanError('LABAN_INVARIANT', { problem: 'an acknowledged event has no position' })
      return published
    },
    waitFor: (flowId, topic, timeoutMs) => tails.waitFor(flowId, topic, timeoutMs),
    close: async () => {
      tails.close()
      await producer.close(FLUSH_TIMEOUT_MS)
    },
  }
}

/** One tail per topic that somebody has waited on. */
class Tails {
  readonly #stack: Stack
  readonly #codec: EventCodec
  readonly #fromMs: number
  readonly #byTopic = new Map<string, TopicTail>()

  constructor(stack: Stack, codec: EventCodec) {
    this.#stack = stack
    this.#codec = codec
    this.#fromMs = stack.clock.nowMs() - CLOCK_SLACK_MS
  }

  async waitFor<T extends Topic>(flowId: string, topic: T, timeoutMs: number): Promise<EventOf<T>> {
    const { broker, clock, contracts } = this.#stack
    contracts.get(topic)
    const tail = this.#byTopic.get(topic) ?? new TopicTail({ broker, topic, clock, fromMs: this.#fromMs })
    this.#byTopic.set(topic, tail)
    return this.#decode(topic, await tail.waitFor(flowId, timeoutMs))
  }

  close(): void {
    for (const tail of this.#byTopic.values()) tail.close()
  }

  async #decode<T extends Topic>(topic: T, value: Buffer | null): Promise<EventOf<T>> {
    for (;;) {
      const decoded = this.#codec.decode(topic, value, { partition: -1, offset: -1 })
      if ('value' in decoded) return decoded.value as EventOf<T>
      await this.#codec.load(decoded.loadSchemaId)
    }
  }
}

function placeOf(appended: readonly Appended[], index: number): Appended {
  const place = appended[index]
  if (place === undefined) throw new LabanError('LABAN_INVARIANT', { problem: 'an acknowledged event has no position' })
  return place
}
