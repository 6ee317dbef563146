/**
 * `npm run trial -- lost-answers [sends] [brokers]`: a fifth of all answers to producing gets lost after the broker has appended.
 * kafkajs as everybody uses it, idempotent and with sends at the same time, beside ours; what was acknowledged is looked for on the log.
 */
import kafkajs, { type Producer } from 'kafkajs'
import { createKafkaBroker } from '../../runtime/adapters/kafka/broker.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { randomStream } from '../../runtime/testing/simulation/random.ts'
import { API } from '../harness/kafka-proxy.ts'
import { startOwnKafka } from '../harness/own-kafka.ts'
import { readTopic } from '../harness/read-topic.ts'

const SENDS = Number(process.argv[2] ?? 600)
const BROKERS = Number(process.argv[3] ?? 3)
const AT_ONCE = 10
const PARTITIONS = 3
const SHARE = 0.2

const own = await startOwnKafka({ brokers: BROKERS })
const broker = createKafkaBroker({
  ...{ brokers: own.brokers.split(','), clientId: 'trial', namespace: '', clock: systemClock, logger: silentLogger },
})
try {
  await broker.connect()
  const naive = new kafkajs.Kafka({
    brokers: own.brokers.split(','),
    clientId: 'naive',
    logLevel: kafkajs.logLevel.NOTHING,
  }).producer({ idempotent: true })
  await naive.connect()
  const ours = await broker.producer()
  const wasLucky = await run('kafkajs', (topic, text) => sendNaively(naive, topic, text))
  const isRight = await run('ours', (topic, text, partition) =>
    ours.send([{ topic, partition, key: text, value: Buffer.from(text), headers: {} }]),
  )
  process.exitCode = isRight ? 0 : 1
  process.stdout.write(wasLucky ? 'kafkajs was lucky\n' : '')
  await naive.disconnect()
  await ours.close()
} finally {
  await broker.close()
  await own.close()
}

function sendNaively(producer: Producer, topic: string, text: string): Promise<unknown> {
  return producer.send({
    topic,
    acks: -1,
    messages: [{ key: text, value: text, partition: Number(text) % PARTITIONS }],
  })
}

/** True when everything that was acknowledged is on the log once. */
async function run(
  name: string,
  send: (topic: string, text: string, partition: number) => Promise<unknown>,
): Promise<boolean> {
  const topic = `trial.${name}`
  const replication = Math.min(3, BROKERS)
  await broker.admin.createTopics([{ topic, partitions: PARTITIONS, replication, config: {} }])
  await send(topic, '0', 0)
  const random = randomStream(1, name)
  for (const { wire } of own.nodes) wire.loseShare(API.produce, SHARE, random.next)
  const lostBefore = lostAnswers()
  const acknowledged = new Set(['0'])
  let refused = 0
  const startedAtMs = performance.now()
  for (let next = 1; next <= SENDS; next += AT_ONCE) {
    const texts = Array.from({ length: AT_ONCE }, (_, index) => String(next + index))
    const sent = texts.map((text) => send(topic, text, Number(text) % PARTITIONS).then(() => acknowledged.add(text)))
    refused += (await Promise.allSettled(sent)).filter(({ status }) => status === 'rejected').length
  }
  const tookS = ((performance.now() - startedAtMs) / 1_000).toFixed(1)
  for (const { wire } of own.nodes) wire.loseShare(API.produce, 0, random.next)
  const found = (await readTopic(broker, topic)).map(({ value }) => value?.toString() ?? '')
  const unique = new Set(found)
  const missing = [...acknowledged].filter((text) => !unique.has(text)).length
  const doubled = found.length - unique.size
  process.stdout.write(
    `${name}: ${SENDS} sends, ${lostAnswers() - lostBefore} answers lost, ${acknowledged.size} acknowledged, ${refused} refused; ` +
      `on the log: ${missing} of the acknowledged missing, ${doubled} doubled; ${tookS} s\n`,
  )
  return missing === 0 && doubled === 0
}

function lostAnswers(): number {
  return own.nodes.reduce((sum, { wire }) => sum + wire.lost, 0)
}
