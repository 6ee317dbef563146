/** Hears everything that is appended to a memory broker, in order, and tells it as events, facts, dead letters and flows. */
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import { decodeEnvelope, type Envelope } from '../../contracts/envelope.ts'
import { isLabanError } from '../../contracts/errors.ts'
import type { Fact } from '../../contracts/fact.ts'
import type { Manifest } from '../../contracts/manifest.ts'
import type { SeenEvent } from '../../tracing/event-drafts.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import { reconstructFlow } from '../../tracing/reconstruct.ts'
import { clusterOf, type MemoryBroker } from '../adapters/memory/broker.ts'
import type { BrokerRecord, TopicPartition } from '../ports/broker.ts'

/** An event on the log. */
export interface RecordedEvent {
  readonly topic: string
  /** Undefined when the bytes do not fit the contract. */
  readonly value: unknown
  readonly eventId: string
  readonly flowId: string
  /** Events that caused it; none for a first event. */
  readonly causes: readonly string[]
  readonly hop: number
  /** The agent that said it, or `test`. */
  readonly source: string
  readonly key: string | null
  readonly partition: number
  readonly offset: number
}

/** An event that an agent gave up on. */
export interface DeadLetter {
  readonly agent: string
  /** Topic of the event; for a join of the member that completed it. */
  readonly topic: string
  readonly value: unknown
  readonly eventId: string
  readonly flowId: string
  readonly attempts: number
  readonly errorCode: string
  readonly errorMessage: string
}

interface Heard {
  readonly event: RecordedEvent
  readonly seen: SeenEvent
}

/** See the file's head. */
export class Recorder {
  readonly facts: Fact[] = []
  readonly #manifests: Manifest[] = []
  readonly #heard: Heard[] = []
  readonly #contracts: ContractSet
  readonly #codec: EventCodec

  constructor(broker: MemoryBroker, contracts: ContractSet, codec: EventCodec) {
    this.#contracts = contracts
    this.#codec = codec
    clusterOf(broker).observers.add({
      topicChanged: () => undefined,
      appended: (position, record) => this.#hear(position, record),
      committed: () => undefined,
      trimmed: () => undefined,
    })
  }

  /** In the order in which they were appended. */
  get events(): readonly RecordedEvent[] {
    return this.#heard.map(({ event }) => event)
  }

  get deadLetters(): readonly DeadLetter[] {
    const events = new Map(this.#heard.map(({ event }) => [event.eventId, event]))
    return this.facts
      .filter(({ outcome }) => outcome === 'dead-lettered')
      .map(({ agent, flowId, inputs, attempt, errorCode, errorMessage }) => {
        const { eventId = '', topic = '' } = inputs.at(-1) ?? {}
        const value = events.get(eventId)?.value
        const error = { errorCode: errorCode ?? '', errorMessage: errorMessage ?? '' }
        return { agent, topic, value, eventId, flowId, attempts: attempt, ...error }
      })
  }

  /** The flow as its facts and records tell it. */
  graph(flowId: string): FlowGraph {
    const events = this.#heard.map(({ seen }) => seen)
    return reconstructFlow({ flowId, facts: this.facts, events, manifests: this.#manifests })
  }

  #hear({ topic, partition }: TopicPartition, record: BrokerRecord): void {
    if (topic === FACTS_TOPIC) this.facts.push(this.#decode(topic, partition, record) as Fact)
    else if (topic === AGENTS_TOPIC) {
      if (record.value !== null) this.#manifests.push(this.#decode(topic, partition, record) as Manifest)
    } else if (this.#contracts.has(topic)) this.#heard.push(this.#event({ topic, partition }, record))
  }

  #event({ topic, partition }: TopicPartition, record: BrokerRecord): Heard {
    const { offset, timestampMs } = record
    const envelope: Envelope = decodeEnvelope(record.headers, { topic, partition, offset, timestampMs })
    const { id, flowId, causes, hop, source } = envelope
    const value = this.#decode(topic, partition, record)
    const key = record.key?.toString('utf8') ?? null
    const position = { topic, partition, offset }
    return {
      event: { topic, value, eventId: id, flowId, causes, hop, source, key, partition, offset },
      seen: { envelope, position, recordedAtMs: timestampMs, key: key === flowId ? null : key },
    }
  }

  /** Everything here was written with schemas that this process knows. */
  #decode(topic: string, partition: number, { value, offset }: BrokerRecord): unknown {
    try {
      const decoded = this.#codec.decode(topic, value, { partition, offset })
      return 'value' in decoded ? decoded.value : undefined
    } catch (error) {
      if (isLabanError(error)) return undefined
      throw error
    }
  }
}
