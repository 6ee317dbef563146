/**
 * What a practised hand writes for handlers that wait: kafkajs as it is, handlers started at once, results sent together, nothing
 * on the way that waits. It commits by time, finished or not, so that a crash loses what was waiting.
 */
import { Kafka, logLevel, type Message, type Producer } from 'kafkajs'
import { physicalTopic } from '../../contracts/contract.ts'
import { handlerWait } from './agents.ts'
import { handled } from './raw-worker.ts'
import { CHAIN, STAGES } from './settings.ts'
import type { RunningWorker, WorkerSettings } from './worker-protocol.ts'

/** Starts the consumers and one producer. */
export async function rawWaitingWorker(settings: WorkerSettings): Promise<RunningWorker> {
  const { namespace, workload } = settings
  const kafka = new Kafka({ brokers: [...settings.brokers], clientId: 'bench-raw', logLevel: logLevel.ERROR })
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const consumers = await Promise.all(
    workload.stages.map(async (index) => {
      const results = new Results(producer, physicalTopic(CHAIN[index + 1] ?? '', namespace))
      const groupId = physicalTopic(STAGES[index] ?? '', namespace)
      const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 250 })
      await consumer.connect()
      await consumer.subscribe({ topics: [physicalTopic(CHAIN[index] ?? '', namespace)], fromBeginning: true })
      const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
      await consumer.run({
        autoCommitInterval: 1_000,
        eachBatch: ({ batch }) => {
          for (const { key, value } of batch.messages) {
            void handlerWait(workload.waitMs).then(() => results.add({ key, value: handled(value) }))
          }
          return Promise.resolve()
        },
      })
      await joined
      return consumer
    }),
  )
  return {
    storeUse: {},
    stop: async () => {
      await Promise.all(consumers.map((consumer) => consumer.disconnect()))
      await producer.disconnect()
    },
  }
}

/** One send at a time; what comes meanwhile is the next. */
class Results {
  readonly #producer: Producer
  readonly #topic: string
  #waiting: Message[] = []
  #isSending = false

  constructor(producer: Producer, topic: string) {
    this.#producer = producer
    this.#topic = topic
  }

  add(message: Message): void {
    this.#waiting.push(message)
    if (this.#isSending) return
    this.#isSending = true
    queueMicrotask(() => void this.#drain())
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const messages = this.#waiting
      this.#waiting = []
      await this.#producer.send({ topic: this.#topic, acks: -1, messages })
    }
    this.#isSending = false
  }
}
