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
import { Kafka, logLevel } from 'kafkajs'
import { agentsOf } from './agents.ts'
import { CHAIN, chainContracts, paper } from './settings.ts'
import type { WorkerSettings } from './worker-protocol.ts'

const SEND_BATCH = 2_000

/** A run's part of the real stack. */
export class RunStack {
  readonly broker: Broker
  readonly #encode: (value: unknown) => Buffer
  readonly #settings: WorkerSettings
  #producer: BrokerProducer | undefined

  private constructor(broker: Broker, settings: WorkerSettings, encode: (value: unknown) => Buffer) {
    this.broker = broker
    this.#settings = settings
    this.#encode = encode
  }

  /** Connects and makes the topics. */
  static async open(settings: WorkerSettings): Promise<RunStack> {
    const { brokers, namespace, registryUrl, workload } = settings
    const contracts = chainContracts(workload.partitions)
    const broker = createKafkaBroker({
      brokers,
      clientId: 'bench',
      namespace,
      clock: systemClock,
      logger: silentLogger,
    })
    await broker.connect()
    const own = agentsOf(workload).flatMap((agent) => agentTopicSettings(agent, contracts))
    await broker.admin.createTopics([...contracts.topics.values(), ...own].map(plannedTopic))
    const registry = createConfluentRegistry({ url: registryUrl, timeoutMs: 10_000 })
    const schemaIds = await resolveSchemaIds(contracts, registry, contracts.topics.keys(), {
      register: true,
      namespace,
    })
    const codec = createCodec({ contracts, registry, schemaIds })
    return new RunStack(broker, settings, (value) => codec.encode(CHAIN[0], value))
  }

  /** Puts the first events with these numbers on the log: for laban with the headers that its publisher writes, else without. */
  async load(from: number, count: number): Promise<void> {
    this.#producer ??= await this.broker.producer()
    for (let begin = from; begin < from + count; begin += SEND_BATCH) {
      const size = Math.min(SEND_BATCH, from + count - begin)
      await this.#producer.send(Array.from({ length: size }, (_, index) => this.#record(begin + index)))
    }
  }

  /** Deletes what the run has left on the log; Redis forgets by itself. */
  async close(): Promise<void> {
    await this.#producer?.close()
    await this.broker.close()
    await deleteTopics(this.#settings)
  }

  #record(index: number): OutgoingRecord {
    const id = deriveId('bench', String(index))
    const value = this.#encode(paper(index, Date.now()))
    const { variant, workload } = this.#settings
    const isRaw = variant === 'a' || variant === 'e'
    const key = workload.keys === null ? id : `key-${index % workload.keys}`
    return { topic: CHAIN[0], key, value, headers: isRaw ? {} : this.#headers(id) }
  }

  #headers(id: string): Record<string, string> {
    const sampled = isFlowSampled(id, this.#settings.variant === 'c' ? 1 : 0.01) ? '01' : '00'
    const traceparent = `00-${traceIdOfFlow(id)}-${id.slice(-12)}0000-${sampled}`
    const time = new Date().toISOString()
    return encodeEnvelope({ id, type: CHAIN[0], source: 'bench', time, flowId: id, causes: [], hop: 0, traceparent })
  }
}

/** The port deletes nothing, so kafkajs's own client does. */
async function deleteTopics({ brokers, namespace }: WorkerSettings): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], clientId: 'bench-cleaner', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const own = (await admin.listTopics()).filter((topic) => topic.startsWith(`${namespace}.`))
  if (own.length > 0) await admin.deleteTopics({ topics: own })
  await admin.disconnect()
}
