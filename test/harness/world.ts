/** A choreography in memory for tests: contracts, log and store that several services share, and what they left on the log. */
import { createContractSet } from '../../contracts/contract-set.ts'
import { createCodec } from '../../contracts/create-codec.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import { agentTopicSettings } from '../../contracts/agent-topics.ts'
import { decodeEnvelope, encodeEnvelope, type Envelope } from '../../contracts/envelope.ts'
import type { Fact } from '../../contracts/fact.ts'
import { deriveId } from '../../contracts/ids.ts'
import { createFolderRegistry } from '../../contracts/registry-folder.ts'
import type { SchemaRegistry } from '../../contracts/registry.ts'
import { resolveSchemaIds } from '../../contracts/schema-ids.ts'
import { plannedTopic } from '../../contracts/topic-plan.ts'
import { createMemoryBroker, type MemoryConnection } from '../../runtime/adapters/memory/broker.ts'
import type { BrokerFaults } from '../../runtime/adapters/memory/faults.ts'
import { createMemoryStore, type MemoryStore } from '../../runtime/adapters/memory/store.ts'
import { defineAgent, type Agent } from '../../runtime/agent.ts'
import type { HandlerContext } from '../../runtime/context.ts'
import type { Broker, BrokerRecord } from '../../runtime/ports/broker.ts'
import type { Store } from '../../runtime/ports/claim-store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { Service, type ServiceOptions } from '../../runtime/service/service.ts'
import { noTracer } from '../../tracing/create-tracer.ts'
import { waitFor } from './wait.ts'

/** A note of a test choreography: all its topics carry this. */
export interface Note {
  readonly text: string
  readonly count: number
}

/** A record with what tests look at. */
export interface SeenEvent {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: BrokerRecord['headers']
  readonly envelope: Envelope
  readonly note: Note | undefined
}

export const noteSchema = {
  type: 'record',
  name: 'Note',
  namespace: 'test',
  fields: [
    { name: 'text', type: 'string' },
    { name: 'count', type: 'int', default: 0 },
  ],
}

/** The same, and its text is personal. */
const personalSchema = {
  ...noteSchema,
  fields: noteSchema.fields.map((field) => (field.name === 'text' ? { ...field, pii: true } : field)),
}

/** Topics of every world. `test.ruled` refuses negative counts, `test.personal` has personal notes. */
export const TOPICS = [
  'test.in',
  'test.left',
  'test.right',
  'test.out',
  'test.other',
  'test.ruled',
  'test.personal',
] as const
export type TestTopic = (typeof TOPICS)[number]

export const testContracts = createContractSet(
  Object.fromEntries(
    TOPICS.map((topic) => [
      topic,
      {
        schema: topic === 'test.personal' ? personalSchema : noteSchema,
        owner: 'tests',
        partitions: 3,
        ...(topic === 'test.ruled' ? { rules: [{ name: 'not-negative', expression: 'event.count >= 0' }] } : {}),
      },
    ]),
  ),
)

/** An agent over test topics, which have no generated types. */
export interface TestAgent {
  readonly name: string
  readonly consumes: TestTopic | readonly TestTopic[] | { readonly all: readonly TestTopic[] }
  readonly produces?:
    | readonly TestTopic[]
    | {
        readonly always?: readonly TestTopic[]
        readonly oneOf?: readonly TestTopic[]
        readonly maybe?: readonly TestTopic[]
      }
  readonly handle: (event: never, context: TestContext) => void | Promise<void>
  readonly [policy: string]: unknown
}

export type TestContext = Omit<HandlerContext, 'publish'> & {
  readonly publish: (topic: TestTopic, value: Partial<Note>, options?: { name?: string; key?: string }) => string
}

/** `defineAgent` without the types of generated contracts. */
export function testAgent(definition: TestAgent): Agent {
  return defineAgent({ version: '1.0.0', ...definition } as unknown as Parameters<typeof defineAgent>[0])
}

export interface World {
  readonly broker: Broker
  readonly store: Store
  readonly codec: EventCodec
  readonly registry: SchemaRegistry
  /** Makes and starts a service; stopped with the world. */
  start(agents: readonly Agent[], options?: Partial<ServiceOptions>): Promise<Service>
  /** Starts a service that can be ended as kill -9 does: none of its calls settles or has an effect afterwards. */
  startMortal(agents: readonly Agent[], options?: Partial<ServiceOptions>): Promise<{ service: Service; kill(): void }>
  /** Publishes a first event; the same id is the same event. */
  publish(topic: TestTopic, note: Partial<Note>, options?: { id?: string; key?: string }): Promise<string>
  /** Appends raw bytes, as a stranger's producer would. */
  append(topic: TestTopic, value: Buffer | null, headers?: Record<string, string>, key?: string): Promise<void>
  /** Every record of a topic. */
  events(topic: string): Promise<SeenEvent[]>
  facts(): Promise<Fact[]>
  /** Waits until a topic holds so many records. */
  untilCount(topic: string, count: number): Promise<SeenEvent[]>
  /** Waits for so many facts of an outcome. */
  untilFacts(outcome: Fact['outcome'], count: number): Promise<Fact[]>
  stop(): Promise<void>
}

/** A world in memory, with a handle on its faults; those of the broker are given. */
export async function memoryWorld(
  options: { faults?: BrokerFaults } = {},
): Promise<World & { memory: MemoryConnection; memoryStore: MemoryStore }> {
  const broker = createMemoryBroker({ clock: systemClock, ...options })
  const store = createMemoryStore({ clock: systemClock })
  const world = await worldOn(broker, store, createFolderRegistry(testContracts), '')
  return Object.assign(world, { memory: broker, memoryStore: store })
}

/** A world on any broker, store and registry. Its topics are made when a service starts. */
export async function worldOn(
  broker: Broker,
  store: Store,
  registry: SchemaRegistry,
  namespace: string,
): Promise<World> {
  const contracts = testContracts
  await broker.connect()
  await broker.admin.createTopics([...contracts.topics.values()].map(plannedTopic))
  const schemaIds = await resolveSchemaIds(contracts, registry, contracts.topics.keys(), { register: true, namespace })
  const codec = createCodec({ contracts, registry, schemaIds })
  const producer = await broker.producer()
  const services: Service[] = []
  const read = (topic: string): Promise<SeenEvent[]> => readTopic(broker, codec, topic)
  const facts = async (): Promise<Fact[]> =>
    (await readRecords(broker, 'laban.facts')).map(({ record, partition }) => decodeFact(codec, record, partition))
  const world: World = {
    broker,
    store,
    codec,
    registry,
    async start(agents, options = {}) {
      await broker.admin.createTopics(agents.flatMap((agent) => agentTopicSettings(agent, contracts).map(plannedTopic)))
      const service = new Service({
        ...defaults,
        ...{ agents, broker, store, contracts, codec, schemaIds, namespace },
        ...options,
      })
      services.push(service)
      await service.start()
      return service
    },
    async startMortal(agents, options = {}) {
      if (!('connection' in broker)) throw new Error('only memory brokers can crash')
      const connection = (broker as MemoryConnection).connection()
      const mortal = mortalStore(store)
      const service = await world.start(agents, { ...options, broker: connection, store: mortal.store })
      services.splice(services.indexOf(service), 1)
      return {
        service,
        kill: () => {
          mortal.die()
          connection.crash()
        },
      }
    },
    async publish(topic, note, { id = String(Math.random()), key } = {}) {
      const eventId = deriveId('test', id)
      const envelope = {
        id: eventId,
        type: topic,
        source: 'test',
        time: '2026-01-01T00:00:00.000Z',
        flowId: eventId,
        causes: [],
        hop: 0,
      }
      const value = codec.encode(topic, { text: '', count: 0, ...note })
      await producer.send([{ topic, key: key ?? eventId, value, headers: encodeEnvelope(envelope) }])
      return eventId
    },
    async append(topic, value, headers = {}, key = 'stranger') {
      await producer.send([{ topic, key, value, headers }])
    },
    events: read,
    facts,
    untilCount: (topic, count) =>
      waitFor(async () => pick(await read(topic), count), { what: `${count} records on ${topic}`, timeoutMs: 10_000 }),
    untilFacts: (outcome, count) =>
      waitFor(
        async () =>
          pick(
            (await facts()).filter((fact) => fact.outcome === outcome),
            count,
          ),
        {
          what: `${count} facts ${outcome}`,
          timeoutMs: 10_000,
        },
      ),
    async stop() {
      await Promise.all(services.map((service) => service.stop()))
      await producer.close()
      await broker.close()
    },
  }
  return world
}

/** A store whose calls never settle once it is dead. */
function mortalStore(store: Store): { store: Store; die(): void } {
  let isDead = false
  const mortal = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name, receiver) {
        const value: unknown = Reflect.get(object, name, receiver)
        if (typeof value === 'object' && value !== null) return mortal(value)
        if (typeof value !== 'function') return value
        return (...values: unknown[]): unknown => {
          if (isDead) return new Promise(() => undefined)
          const result: unknown = (value as (...values: unknown[]) => unknown).apply(object, values)
          if (!(result instanceof Promise))
            return typeof result === 'object' && result !== null ? mortal(result) : result
          return result.then((answer: unknown) => (isDead ? new Promise(() => undefined) : answer))
        }
      },
    })
  return { store: mortal(store), die: () => (isDead = true) }
}

const defaults = {
  tracer: noTracer,
  clock: systemClock,
  log: silentLogger,
  leaseMs: 2_000,
  drainTimeoutMs: 1_000,
  limits: {
    maxOpen: 5_000,
    maxOpenBytes: 64_000_000,
    commitIntervalMs: 50,
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 500,
  },
  dedup: true,
  onFatal: (error: unknown) => {
    throw error
  },
}

function pick<T>(found: T[], count: number): T[] | undefined {
  return found.length >= count ? found : undefined
}

async function readRecords(broker: Broker, topic: string): Promise<{ partition: number; record: BrokerRecord }[]> {
  const records: { partition: number; record: BrokerRecord }[] = []
  for (const { partition, startOffset } of await broker.admin.offsets(topic)) {
    for await (const batch of broker.reader.read({ topic, partition, fromOffset: startOffset })) {
      for (const record of batch) records.push({ partition, record })
    }
  }
  return records
}

async function readTopic(broker: Broker, codec: EventCodec, topic: string): Promise<SeenEvent[]> {
  return (await readRecords(broker, topic)).map(({ partition, record }) => ({
    topic,
    partition,
    offset: record.offset,
    key: record.key?.toString() ?? null,
    value: record.value,
    headers: record.headers,
    envelope: decodeEnvelope(record.headers, {
      topic,
      partition,
      offset: record.offset,
      timestampMs: record.timestampMs,
    }),
    note: decodeNote(codec, topic, record, partition),
  }))
}

function decodeNote(codec: EventCodec, topic: string, record: BrokerRecord, partition: number): Note | undefined {
  if (!(TOPICS as readonly string[]).includes(topic)) return undefined
  try {
    const decoded = codec.decode(topic, record.value, { partition, offset: record.offset })
    return 'value' in decoded ? (decoded.value as Note) : undefined
  } catch {
    return undefined
  }
}

function decodeFact(codec: EventCodec, record: BrokerRecord, partition: number): Fact {
  const decoded = codec.decode('laban.facts', record.value, { partition, offset: record.offset })
  if (!('value' in decoded)) throw new Error('fact of another schema')
  return decoded.value as Fact
}
