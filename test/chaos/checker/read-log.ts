/** Reads a namespace with a plain kafkajs consumer and avsc: what is on the log, in words of the checker. */
import { createHash, randomUUID } from 'node:crypto'
import avro from 'avsc'
import { Kafka, logLevel, type EachBatchPayload, type IHeaders, type KafkaMessage } from 'kafkajs'
import type { Choreography, History, LogDeadLetter, LogEvent, LogFact, LogResult, Place } from './history.ts'

/** Where to read. */
export interface LogAddress {
  readonly brokers: readonly string[]
  readonly registryUrl: string
  /** Prefix of all topics. */
  readonly namespace: string
}

type Read = Pick<History, 'events' | 'handedOver' | 'deadLetters' | 'facts' | 'results'>
type Collected = { [K in keyof Read]: Read[K][number][] }

const FACTS = 'laban.facts'

/** Everything on the log that the rules speak of, by topic, partition and offset. */
export async function readLog(address: LogAddress, { agents }: Choreography): Promise<Read> {
  const kafka = new Kafka({ brokers: [...address.brokers], clientId: 'checker', logLevel: logLevel.NOTHING })
  const found: Collected = { events: [], handedOver: [], deadLetters: [], facts: [], results: [] }
  const eventTopics = new Set(
    agents.flatMap(({ topics, always, oneOf, maybe }) => [...topics, ...always, ...oneOf, ...maybe]),
  )
  const schemas = new FactSchemas(address.registryUrl)
  const take = async (topic: string, partition: number, message: KafkaMessage): Promise<void> => {
    const agent = agents.find(({ name }) => topic.startsWith(`${name}.`) && !eventTopics.has(topic))?.name ?? ''
    if (topic === FACTS) found.facts.push(factOf(await schemas.decode(message.value), message))
    else if (eventTopics.has(topic)) found.events.push(eventOf(topic, partition, message))
    else if (topic.startsWith(`${agent}.retry.`)) {
      // A turn that a person or a successor was given is no hand-over of an attempt, but the same event once more.
      found.handedOver.push({ agent, ...eventOf(topic, partition, message) })
    } else if (topic === `${agent}.dead-letter`)
      found.deadLetters.push({ agent, ...deadLetterOf(topic, partition, message) })
    else if (topic === `${agent}.journal`) found.results.push(...resultsOf(agent, message))
  }
  const all = await topicsOf(kafka, address.namespace)
  const wanted = all.filter(
    (topic) =>
      topic === FACTS ||
      eventTopics.has(topic) ||
      agents.some(({ name }) => new RegExp(`^${name}\\.(retry\\..*|dead-letter|journal)$`).test(topic)),
  )
  await readTopics(kafka, address.namespace, wanted, take)
  const byPlace = (left: Place, right: Place): number =>
    left.topic < right.topic
      ? -1
      : left.topic > right.topic
        ? 1
        : left.partition - right.partition || left.offset - right.offset
  found.events.sort(byPlace)
  return found
}

async function topicsOf(kafka: Kafka, namespace: string): Promise<readonly string[]> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const prefix = `${namespace}.`
    return (await admin.listTopics()).filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  } finally {
    await admin.disconnect()
  }
}

type Take = (topic: string, partition: number, message: KafkaMessage) => Promise<void>

/** Calls `take` for every record that the topics hold now. */
async function readTopics(kafka: Kafka, namespace: string, topics: readonly string[], take: Take): Promise<void> {
  const left = await lastOffsets(kafka, namespace, topics)
  const consumer = kafka.consumer({ groupId: `checker-${randomUUID()}`, maxBytesPerPartition: 4 * 1024 * 1024 })
  await consumer.connect()
  await consumer.subscribe({ topics: topics.map((topic) => `${namespace}.${topic}`), fromBeginning: true })
  const reading = Promise.withResolvers<undefined>()
  if (left.size === 0) reading.resolve(undefined)
  const eachBatch = async ({ batch, resolveOffset }: EachBatchPayload): Promise<void> => {
    const topic = batch.topic.slice(namespace.length + 1)
    const last = left.get(`${topic} ${batch.partition}`)
    for (const message of batch.messages) {
      if (last === undefined || Number(message.offset) > last) break
      await take(topic, batch.partition, message)
      resolveOffset(message.offset)
    }
    if (last === undefined || Number(batch.lastOffset()) < last) return
    left.delete(`${topic} ${batch.partition}`)
    if (left.size === 0) reading.resolve(undefined)
  }
  consumer.on('consumer.crash', ({ payload }) => {
    if (!payload.restart) reading.reject(payload.error)
  })
  await consumer.run({
    autoCommit: false,
    eachBatch: (payload) =>
      eachBatch(payload).catch((error: unknown) => {
        reading.reject(error instanceof Error ? error : new Error(String(error)))
      }),
  })
  await reading.promise
  await consumer.disconnect()
}

/** `<topic> <partition>` to the offset of its last record, where it has any. */
async function lastOffsets(kafka: Kafka, namespace: string, topics: readonly string[]): Promise<Map<string, number>> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const all = await Promise.all(
      topics.map(async (topic) => {
        const offsets = await admin.fetchTopicOffsets(`${namespace}.${topic}`)
        return offsets.map(({ partition, high }) => [`${topic} ${partition}`, Number(high) - 1] as const)
      }),
    )
    return new Map(all.flat().filter(([, last]) => last >= 0))
  } finally {
    await admin.disconnect()
  }
}

function header(headers: IHeaders | undefined, name: string): string {
  const value = headers?.[name]
  return value === undefined ? '' : String(Array.isArray(value) ? value[0] : value)
}

function placeOf(topic: string, partition: number, { offset }: KafkaMessage): Place {
  return { topic, partition, offset: Number(offset) }
}

function eventOf(topic: string, partition: number, message: KafkaMessage): LogEvent {
  const { headers, key, value, timestamp } = message
  const hash = createHash('sha256')
  const part = (bytes: Buffer | null): void => void hash.update(`${bytes?.length ?? -1}:`).update(bytes ?? '')
  part(key)
  part(value)
  const names = Object.keys(headers ?? {}).filter((name) => name.startsWith('ce_'))
  for (const name of names.toSorted()) part(Buffer.from(`${name}=${header(headers, name)}`))
  const causes = header(headers, 'ce_causationid')
  return {
    ...placeOf(topic, partition, message),
    id: header(headers, 'ce_id'),
    flowId: header(headers, 'ce_correlationid'),
    source: header(headers, 'ce_source'),
    causes: causes === '' ? [] : causes.split(','),
    key: key?.toString('hex') ?? '',
    content: hash.digest('base64'),
    atMs: Number(timestamp),
  }
}

function deadLetterOf(topic: string, partition: number, message: KafkaMessage): Omit<LogDeadLetter, 'agent'> {
  const said = (name: string): string => header(message.headers, `laban-dlq-${name}`)
  return { ...placeOf(topic, partition, message), id: said('event-id'), reason: said('reason'), mark: said('mark') }
}

interface AvroFact {
  readonly agent: string
  readonly outcome: string
  readonly flowId: string
  readonly handlingId: string
  readonly attempt: number
  readonly inputs: readonly { readonly eventId: string }[]
  readonly outputs: readonly { readonly eventId: string }[]
}

function factOf(fact: AvroFact, { timestamp }: KafkaMessage): LogFact {
  const { agent, outcome, flowId, handlingId, attempt, inputs, outputs } = fact
  return {
    ...{ agent, outcome, flowId, handlingId, attempt, atMs: Number(timestamp) },
    inputs: inputs.map(({ eventId }) => eventId),
    outputs: outputs.map(({ eventId }) => eventId),
  }
}

/** A version byte, the length of the head in four bytes, the head as JSON; `place` says where the result is, or that there is none. */
function resultsOf(agent: string, { key, value, headers, timestamp }: KafkaMessage): LogResult[] {
  if (header(headers, 'laban-journal') !== 'entry' || value === null) return []
  const head = JSON.parse(value.toString('utf8', 5, 5 + value.readUInt32BE(1))) as { name: string; place: unknown }
  if (head.place === 'none') return []
  return [{ agent, handlingId: key?.toString() ?? '', step: head.name, atMs: Number(timestamp) }]
}

/** Facts by the schema that they were written with, asked of the registry once. */
class FactSchemas {
  readonly #url: string
  readonly #types = new Map<number, avro.Type>()

  constructor(url: string) {
    this.#url = url
  }

  async decode(value: Buffer | null): Promise<AvroFact> {
    if (value === null || value[0] !== 0) throw new Error('a fact is not in the wire format of the registry')
    const id = value.readInt32BE(1)
    const type = this.#types.get(id) ?? (await this.#fetch(id))
    this.#types.set(id, type)
    return type.fromBuffer(value.subarray(5)) as AvroFact
  }

  async #fetch(id: number): Promise<avro.Type> {
    const response = await fetch(`${this.#url}/schemas/ids/${id}`)
    if (!response.ok) throw new Error(`the registry answers ${response.status} for schema ${id}`)
    const { schema } = (await response.json()) as { schema: string }
    return avro.Type.forSchema(JSON.parse(schema) as avro.Schema)
  }
}
