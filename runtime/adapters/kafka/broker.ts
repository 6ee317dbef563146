/** Apache Kafka as the log, on kafkajs. Every guard against the client's traps is installed here, before the first connection. */
import { LabanError } from '../../../contracts/errors.ts'
import type { Right } from '../../../contracts/rights.ts'
import type { Broker, BrokerConsumer, BrokerProducer, ConsumerHandlers, ConsumerOptions } from '../../ports/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import { KafkaAdmin } from './admin.ts'
import { ClusterAccess } from './cluster-access.ts'
import { kafkaConnection, type ConnectionOptions, type KafkaConnection } from './connection.ts'
import { registerCodecs } from './codecs.ts'
import { KafkaConsumer } from './consumer.ts'
import { installOffsetOutOfRangeGuard } from './offset-out-of-range.ts'
import { physicalNames, type PhysicalNames } from './physical-names.ts'
import { KafkaProducer } from './producer.ts'
import { KafkaReader } from './reader.ts'
import { installRequestQueueShim } from './request-queue-shim.ts'

/** How to reach Kafka and under which names. */
export interface KafkaBrokerOptions extends ConnectionOptions {
  /** Prefix of topics and groups; '' for none. */
  readonly namespace: string
  readonly clock: Clock
}

/**
 * A connection to Kafka. Names given to it and given by it are without namespace.
 * @throws LABAN_INVARIANT when another version of kafkajs is installed than the one this adapter is written for
 */
export function createKafkaBroker(options: KafkaBrokerOptions): Broker {
  installRequestQueueShim()
  installOffsetOutOfRangeGuard()
  registerCodecs()
  return new KafkaBroker(options)
}

class KafkaBroker implements Broker {
  readonly admin: KafkaAdmin
  readonly reader: KafkaReader
  readonly #options: KafkaBrokerOptions
  readonly #connection: KafkaConnection
  readonly #names: PhysicalNames
  readonly #access: ClusterAccess
  readonly #producers = new Set<KafkaProducer>()
  readonly #consumers = new Set<KafkaConsumer>()
  #isClosed = false

  constructor(options: KafkaBrokerOptions) {
    this.#options = options
    this.#connection = kafkaConnection(options, options.namespace)
    this.#names = physicalNames(options.namespace)
    this.#access = new ClusterAccess(this.#connection, options.clock)
    this.admin = new KafkaAdmin(this.#access, this.#names, () => {
      for (const consumer of this.#consumers) consumer.refreshTopics()
    })
    this.reader = new KafkaReader(this.#access, this.#names)
  }

  connect(): Promise<void> {
    return this.#access.connect()
  }

  checkRights(rights: readonly Right[]): Promise<void> {
    return this.admin.checkRights(rights)
  }

  async producer(): Promise<BrokerProducer> {
    this.#assertOpen()
    const { clock, logger } = this.#options
    const access = new ClusterAccess(this.#connection, clock)
    const onClosed = (): void => {
      this.#producers.delete(producer)
    }
    const producer: KafkaProducer = new KafkaProducer({ access, names: this.#names, clock, logger, onClosed })
    this.#producers.add(producer)
    try {
      await access.connect()
    } catch (error) {
      await producer.close()
      throw error
    }
    return producer
  }

  async consumer(options: ConsumerOptions, handlers: ConsumerHandlers): Promise<BrokerConsumer> {
    this.#assertOpen()
    const { clock, logger } = this.#options
    const parts = { connection: this.#connection, access: this.#access, names: this.#names, clock, logger }
    const onLeft = (): void => {
      this.#consumers.delete(consumer)
    }
    const consumer: KafkaConsumer = new KafkaConsumer({ ...parts, onLeft }, options, handlers)
    this.#consumers.add(consumer)
    await consumer.start()
    return consumer
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled([...this.#consumers].map((consumer) => consumer.stop()))
    await Promise.allSettled([...this.#producers].map((producer) => producer.close()))
    await this.#access.close()
  }

  #assertOpen(): void {
    if (!this.#isClosed) return
    const brokers = this.#options.brokers.join(',')
    throw new LabanError('LABAN_BROKER_UNAVAILABLE', { brokers, problem: 'the connection is closed' })
  }
}
