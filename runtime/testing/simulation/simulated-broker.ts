/** A process's connection to the memory broker, over the simulated network. The rule: a dead process has no effect, a stalled one hears nothing. */
import type { MemoryConnection } from '../../adapters/memory/broker.ts'
import type {
  Assignment,
  Broker,
  BrokerConsumer,
  BrokerProducer,
  ConsumerHandlers,
  OutgoingRecord,
  RecordBatch,
  TopicPartition,
} from '../../ports/broker.ts'
import type { Life } from './life.ts'
import type { Channel, Network } from './network.ts'
import type { Trace } from './trace.ts'

/** What the connection of one process is made of. */
export interface SimulatedBrokerOptions {
  readonly connection: MemoryConnection
  readonly life: Life
  readonly network: Network
  readonly trace: Trace
  /** True while nothing of a partition is delivered. */
  readonly isHeldBack: (position: TopicPartition) => boolean
}

/** See the file's head. The connection crashes and stalls with the process. */
export function simulatedBroker(options: SimulatedBrokerOptions): Broker {
  const { connection, life, network } = options
  life.onDeath(() => connection.crash())
  return {
    connect: () => connection.connect(),
    producer: async () => simulatedProducer(network, network.channel(life), await connection.producer()),
    consumer: async (wanted, handlers) =>
      simulatedConsumer(
        options,
        wanted.group,
        await connection.consumer(wanted, watchedHandlers(options, wanted.group, handlers)),
      ),
    admin: connection.admin,
    reader: connection.reader,
    close: () => connection.close(),
  }
}

function simulatedProducer(network: Network, channel: Channel, producer: BrokerProducer): BrokerProducer {
  return {
    send: (records) => network.call(channel, `send ${kindsOf(records)}`, () => producer.send(records)),
    partitionFor: (topic, key) => producer.partitionFor(topic, key),
    close: () => producer.close(),
  }
}

function simulatedConsumer(
  { network, life }: SimulatedBrokerOptions,
  group: string,
  consumer: BrokerConsumer,
): BrokerConsumer {
  const channel = network.channel(life)
  return {
    pause: (partitions) => consumer.pause(partitions),
    resume: (partitions) => consumer.resume(partitions),
    commit: (commits) => network.call(channel, `commit ${group}`, () => consumer.commit(commits)),
    stop: () => network.call(channel, 'leave', () => consumer.stop()),
  }
}

function watchedHandlers(
  { life, trace, isHeldBack }: SimulatedBrokerOptions,
  group: string,
  handlers: ConsumerHandlers,
): ConsumerHandlers {
  return {
    onAssigned: (assignment: readonly Assignment[]) =>
      new Promise<void>((resolve, reject) => {
        life.run(() => {
          const places = assignment.map(({ topic, partition, startOffset }) => `${topic}/${partition}@${startOffset}`)
          trace.note(`${life.name} assigned ${group}: ${places.join(' ')}`)
          Promise.resolve(handlers.onAssigned(assignment)).then(resolve, reject)
        })
      }),
    onRebalancing: () => handlers.onRebalancing(),
    onBatch: (batch: RecordBatch) => {
      if (life.isDead || life.isStalled || isHeldBack(batch)) return batch.fromOffset
      trace.note(`${life.name} gets ${batch.topic}/${batch.partition}@${batch.fromOffset}+${batch.records.length}`)
      return handlers.onBatch(batch)
    },
    onCrash: (error) => life.run(() => handlers.onCrash(error)),
  }
}

/** What a send carries, for the names of crash points: `facts`, `events`, `dead-letter`, … */
function kindsOf(records: readonly OutgoingRecord[]): string {
  return [...new Set(records.map(({ topic }) => kindOf(topic)))].sort().join('+')
}

/** Purposes of the topics that agents have for themselves. */
const OWN = /\.(dead-letter|waiting|journal|parked|timers|retry\.[^.]+)$/

function kindOf(topic: string): string {
  if (topic.startsWith('laban.')) return topic.slice('laban.'.length)
  return OWN.exec(topic)?.[1] ?? 'events'
}
