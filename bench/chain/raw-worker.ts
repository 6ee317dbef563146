/** What people write by hand: kafkajs as it is. Variant a batches its sends per batch, variant e awaits one send per message. */
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { physicalTopic } from '../../contracts/contract.ts'
import { CHAIN, forward, paperType, STAGES, type Paper } from './settings.ts'
import type { RunningWorker, WorkerSettings } from './worker-protocol.ts'

const WIRE_HEADER_BYTES = 5

/** Starts the consumers and one producer. */
export async function rawWorker(settings: WorkerSettings): Promise<RunningWorker> {
  const kafka = new Kafka({ brokers: [...settings.brokers], clientId: 'bench-raw', logLevel: logLevel.ERROR })
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const consumers = await Promise.all(
    settings.workload.stages.map(async (index) => {
      const group = STAGES[index] ?? ''
      const from = physicalTopic(CHAIN[index] ?? '', settings.namespace)
      const to = physicalTopic(CHAIN[index + 1] ?? '', settings.namespace)
      const consumer = kafka.consumer({ groupId: physicalTopic(group, settings.namespace), maxWaitTimeInMs: 250 })
      await consumer.connect()
      await consumer.subscribe({ topics: [from], fromBeginning: true })
      const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
      if (settings.variant === 'e') {
        await consumer.run({
          eachMessage: async ({ message }) => {
            await send(producer, to, [{ key: message.key, value: handled(message.value) }])
          },
        })
      } else {
        await consumer.run({
          eachBatch: async ({ batch }) => {
            await send(
              producer,
              to,
              batch.messages.map((message) => ({ key: message.key, value: handled(message.value) })),
            )
          },
        })
      }
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

function send(producer: Producer, topic: string, messages: { key: Buffer | null; value: Buffer }[]): Promise<unknown> {
  return producer.send({ topic, acks: -1, messages })
}

/** What the handler makes of a value, in its final bytes. */
export function handled(value: Buffer | null): Buffer {
  const bytes = value ?? Buffer.alloc(WIRE_HEADER_BYTES)
  const paper = paperType.decode(bytes, WIRE_HEADER_BYTES).value as Paper
  return Buffer.concat([bytes.subarray(0, WIRE_HEADER_BYTES), paperType.toBuffer(forward(paper))])
}
