/** Puts first events on the log: each begins a flow whose id is its own. The `published` fact follows its acknowledgement. */
import { hash } from 'node:crypto'
import type { EventCodec } from '../../contracts/codec.ts'
import { keyOfValue } from '../../contracts/contract.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import { encodeEnvelope } from '../../contracts/envelope.ts'
import { LabanError } from '../../contracts/errors.ts'
import { momentaryFact, type Fact } from '../../contracts/fact.ts'
import type { EventTracer, SendSpan } from '../../tracing/event-tracer.ts'
import type { Appended, OutgoingRecord } from '../ports/broker.ts'
import type { Clock } from '../ports/clock.ts'
import type { BatchingProducer } from './batching-producer.ts'
import type { FactWriter } from './fact-writer.ts'
import { recordBytes } from './record-size.ts'

export interface FirstEventsOptions {
  /** `ce_source` of the events, and the agent of their facts. */
  readonly source: string
  readonly instance: string
  readonly contracts: ContractSet
  readonly codec: EventCodec
  readonly producer: BatchingProducer
  readonly facts: FactWriter
  readonly tracer: EventTracer
  readonly clock: Clock
}

/** A first event to publish. */
export interface FirstEvent {
  /** A UUID: the same id again is the same event, whoever publishes it. */
  readonly eventId: string
  readonly topic: string
  readonly value: unknown
  /** Record key. @default the contract's key field, else the event id */
  readonly key?: string
}

/** An encoded first event: nothing about it can be refused for its content any more. */
export interface PreparedEvent {
  readonly eventId: string
  readonly record: OutgoingRecord
  readonly key: string
  readonly hash: string
  readonly span: SendSpan
  readonly startedAtMs: number
}

/** See the file's head. */
export class FirstEvents {
  readonly #options: FirstEventsOptions

  constructor(options: FirstEventsOptions) {
    this.#options = options
  }

  /** Encodes and checks. @throws LABAN_CONTRACT_VALIDATION, LABAN_CONTRACT_RULE, LABAN_BROKER_MESSAGE_TOO_LARGE, LABAN_CONTRACT_UNKNOWN_TOPIC */
  prepare(event: FirstEvent): PreparedEvent {
    const { codec, contracts, tracer, clock, source } = this.#options
    const { eventId, topic } = event
    const contract = contracts.get(topic)
    const value = codec.encode(topic, event.value)
    const key = event.key ?? keyOfValue(contract, event.value) ?? event.eventId
    const span = tracer.startFlow(topic, eventId, eventId, source)
    const envelope = {
      id: eventId,
      type: topic,
      source,
      flowId: eventId,
      causes: [],
      hop: 0,
      traceparent: span.traceparent,
    }
    const record = { topic, key, value, headers: encodeEnvelope(envelope) }
    const bytes = recordBytes(record)
    if (bytes > contract.maxRecordBytes) {
      throw new LabanError('LABAN_BROKER_MESSAGE_TOO_LARGE', { topic, bytes, maxBytes: contract.maxRecordBytes })
    }
    return { eventId, record, key, hash: hash('sha256', value, 'hex').slice(0, 16), span, startedAtMs: clock.nowMs() }
  }

  /** Appends prepared events and then their facts; resolves when both are acknowledged. */
  async append(events: readonly PreparedEvent[]): Promise<readonly Appended[]> {
    const { producer, facts } = this.#options
    const appended = await producer.append(events.map((event) => event.record))
    events.forEach((event, index) => event.span.end(appended[index]))
    await facts.append(...events.flatMap((event, index) => this.#fact(event, appended[index]) ?? []))
    return appended
  }

  #fact(event: PreparedEvent, place: Appended | undefined): Fact | undefined {
    if (place === undefined) return undefined
    const { source, instance, clock } = this.#options
    const { eventId, key } = event
    return momentaryFact(clock.nowMs(), {
      ...{ outcome: 'published', flowId: eventId, agent: source, instance, handlingId: eventId },
      startedAtMs: event.startedAtMs,
      traceId: event.span.traceparent.slice(3, 35),
      outputs: [{ eventId, ...place, hash: event.hash, key: key === eventId ? null : key }],
    })
  }
}
