/** A Kafka in memory: the whole broker port, deterministic under a virtual clock, for embedded runs, tests and simulations. */
import type {
  Broker,
  BrokerAdmin,
  BrokerConsumer,
  BrokerProducer,
  ConsumerHandlers,
  ConsumerOptions,
  LogReader,
  TopicPartition,
} from '../../ports/broker.ts'
import { MemoryAdmin } from './admin.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { ConnectionState } from './connection-state.ts'
import { MemoryConsumer } from './consumer.ts'
import { MemoryProducer } from './producer.ts'
import { MemoryReader } from './reader.ts'

/** How a memory broker behaves; `clock` is the only thing it must be given. */
export type MemoryBrokerOptions = ClusterOptions

/** One client of a memory broker. */
export interface MemoryConnection extends Broker {
  /** Another client of the same log, closed and crashed on its own. */
  connection(): MemoryConnection
  /** Ends this client as kill -9 does: its calls never settle, its consumers fall silent until their sessions time out. */
  crash(): void
  /** Stops this client as SIGSTOP does: its consumers fall silent, and are expelled when their sessions run out. */
  stall(): void
  /** Ends a stall, as SIGCONT does. */
  wake(): void
  /** Moves the start of a partition up, as retention does; past the end leaves it empty. @throws LABAN_BROKER_REFUSED */
  trim(topic: string, partition: number, offset: number): void
  /** Expels the members that this client has in a group, as a broker does that has not heard from them. */
  expel(group: string): void
}

/** A memory broker: its first client. Topics and offsets live as long as any client is referenced. */
export type MemoryBroker = MemoryConnection

/**
 * Makes an empty broker. Delivery runs in microtasks and lets the event loop turn by `clock.after(0)` every few thousand records.
 * @example const broker = createMemoryBroker({ clock: systemClock, autoCreateTopics: true })
 */
export function createMemoryBroker(options: MemoryBrokerOptions): MemoryBroker {
  return new Connection(new Cluster(options))
}

/** The shared state behind a memory broker; for persistence. */
export function clusterOf(broker: MemoryBroker): Cluster {
  return (broker as Connection).cluster
}

class Connection implements MemoryConnection {
  readonly cluster: Cluster
  readonly admin: BrokerAdmin
  readonly reader: LogReader
  readonly #state: ConnectionState
  readonly #consumers = new Map<MemoryConsumer, string>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
    this.#state = new ConnectionState(cluster)
    this.admin = new MemoryAdmin(this.#state)
    this.reader = new MemoryReader(this.#state)
  }

  connect(): Promise<void> {
    return this.#state.call(() => undefined)
  }

  producer(): Promise<BrokerProducer> {
    return this.#state.call(() => new MemoryProducer(this.#state))
  }

  consumer(options: ConsumerOptions, handlers: ConsumerHandlers): Promise<BrokerConsumer> {
    return this.#state.call(() => {
      const consumer = new MemoryConsumer(this.#state, options, handlers)
      this.#consumers.set(consumer, options.group)
      return consumer
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers.keys()].map((consumer) => consumer.stop()))
    this.#state.end('closed')
  }

  connection(): MemoryConnection {
    return new Connection(this.cluster)
  }

  crash(): void {
    this.#state.end('crashed')
    for (const consumer of this.#consumers.keys()) consumer.crash()
  }

  stall(): void {
    this.#state.isStalled = true
    for (const consumer of this.#consumers.keys()) consumer.stall()
  }

  wake(): void {
    this.#state.isStalled = false
    for (const consumer of this.#consumers.keys()) consumer.wake()
  }

  trim(topic: string, partition: number, offset: number): void {
    const position: TopicPartition = { topic, partition }
    this.cluster.trim(position, offset)
  }

  expel(group: string): void {
    for (const [consumer, name] of this.#consumers) {
      if (name !== group || !this.cluster.group(group).has(consumer.id)) continue
      this.cluster.group(group).remove(consumer.id)
      consumer.noticeExpulsion()
    }
  }
}
