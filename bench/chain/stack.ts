/** One run's namespace on the real stack: topics made before, first events put there, results read afterwards. */
import { agentTopicSettings } from '../../contracts/agent-topics.ts'
import { createCodec } from '../../contracts/create-codec.ts'
import { encodeEnvelope } from '../../contracts/envelope.ts'
import { deriveId } from '../../contracts/ids.ts'
import { createConfluentRegistry } from '../../contracts/registry-confluent.ts'
import { resolveSchemaIds } from '../../contracts/schema-ids.ts'
import { plannedTopic } from '../../contracts/topic-plan.ts'
import { createKafkaBroker } from '../../runtime/adapters/kafka/broker.ts'
import type { Broker, BrokerProducer, OutgoingRecord } from '../../runtime/ports/broker.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { isFlowSampled } from '../../tracing/sampling.ts'
import { traceIdOfFlow } from '../../tracing/propagation.ts'
import { chainAgents } from './agents.ts'
import { CHAIN, chainContracts, paper, type Variant } from './settings.ts'
import type { WorkerSettings } from './worker-protocol.ts'

const SEND_BATCH = 2_000

/** A run's part of the real stack. */
export class RunStack {
  readonly broker: Broker
  readonly #encode: (value: unknown) => Buffer
  readonly #variant: Variant
  #producer: BrokerProducer | undefined

  private constructor(broker: Broker, variant: Variant, encode: (value: unknown) => Buffer) {
    this.broker = broker
    this.#variant = variant
    this.#encode = encode
  }

  /** Connects and makes the topics. */
  static async open(settings: WorkerSettings): Promise<RunStack> {
    const { brokers, namespace, registryUrl, variant } = settings
    const broker = createKafkaBroker({
      brokers,
      clientId: 'bench',
      namespace,
      clock: systemClock,
      logger: silentLogger,
    })
    await broker.connect()
    const own = chainAgents.flatMap((agent) => agentTopicSettings(agent, chainContracts))
    await broker.admin.createTopics([...chainContracts.topics.values(), ...own].map(plannedTopic))
    const registry = createConfluentRegistry({ url: registryUrl, timeoutMs: 10_000 })
    const schemaIds = await resolveSchemaIds(chainContracts, registry, chainContracts.topics.keys(), {
      register: true,
      namespace,
    })
    const codec = createCodec({ contracts: chainContracts, registry, schemaIds })
    return new RunStack(broker, variant, (value) => codec.encode(CHAIN[0], value))
  }

  /** Puts first events on the log: for laban with the headers that its publisher writes, for the raw loops without. */
  async load(count: number): Promise<void> {
    for (let begin = 0; begin < count; begin += SEND_BATCH) {
      const size = Math.min(SEND_BATCH, count - begin)
      await this.send(Array.from({ length: size }, (_, index) => begin + index))
    }
  }

  /** Sends the first events with these numbers. */
  async send(numbers: readonly number[]): Promise<void> {
    this.#producer ??= await this.broker.producer()
    await this.#producer.send(numbers.map((index) => this.#record(index)))
  }

  async close(): Promise<void> {
    await this.#producer?.close()
    await this.broker.close()
  }

  #record(index: number): OutgoingRecord {
    const id = deriveId('bench', String(index))
    const value = this.#encode(paper(index, Date.now()))
    const isRaw = this.#variant === 'a' || this.#variant === 'e'
    return { topic: CHAIN[0], key: id, value, headers: isRaw ? {} : this.#headers(id) }
  }

  #headers(id: string): Record<string, string> {
    const sampled = isFlowSampled(id, this.#variant === 'c' ? 1 : 0.01) ? '01' : '00'
    const traceparent = `00-${traceIdOfFlow(id)}-${id.slice(-12)}0000-${sampled}`
    const time = new Date().toISOString()
    return encodeEnvelope({ id, type: CHAIN[0], source: 'bench', time, flowId: id, causes: [], hop: 0, traceparent })
  }
}
