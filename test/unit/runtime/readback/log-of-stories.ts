/** Puts told flows on a broker in memory: events, facts and manifests, each at the place that its facts name. */
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../../../contracts/contract.ts'
import { createContractSet } from '../../../../contracts/contract-set.ts'
import { createCodec } from '../../../../contracts/create-codec.ts'
import { encodeEnvelope } from '../../../../contracts/envelope.ts'
import type { Fact } from '../../../../contracts/fact.ts'
import { createFolderRegistry } from '../../../../contracts/registry-folder.ts'
import { resolveSchemaIds } from '../../../../contracts/schema-ids.ts'
import { createMemoryBroker, type MemoryBroker } from '../../../../runtime/adapters/memory/broker.ts'
import type { OutgoingRecord } from '../../../../runtime/ports/broker.ts'
import { systemClock } from '../../../../runtime/ports/clock.ts'
import type { LogSource } from '../../../../runtime/readback/platform-records.ts'
import type { Story } from '../../tracing/story.ts'

const TOPICS = [
  ...['t.begun', 't.middle', 't.ended', 't.left', 't.right'],
  ...['credit.application-received', 'credit.score-calculated', 'credit.income-verified', 'credit.fraud-checked'],
  ...['credit.risk-assessed', 'credit.decision-made'],
]
const contracts = createContractSet(
  Object.fromEntries(
    TOPICS.map((topic) => [
      topic,
      {
        schema: {
          type: 'record',
          name: 'Empty',
          namespace: 'test',
          fields: [{ name: 'key', type: 'string', default: '' }],
        },
        ...(topic === 't.middle' ? { keyField: 'key' } : {}),
      },
    ]),
  ),
)

/** A log in memory. */
export interface StoryLog extends LogSource {
  readonly broker: MemoryBroker
  append(records: readonly OutgoingRecord[]): Promise<void>
  /** Events first, so that the facts can name where they really lie. */
  write(...stories: readonly Story[]): Promise<void>
  factRecord(fact: Fact): OutgoingRecord
}

/** An empty log with all topics. */
export async function createStoryLog(): Promise<StoryLog> {
  const broker = createMemoryBroker({ clock: systemClock })
  const specs = [...contracts.topics.values()]
  await broker.admin.createTopics(
    specs.map(({ name, partitions }) => ({ topic: name, partitions, replication: 1, config: {} })),
  )
  const registry = createFolderRegistry(contracts)
  const schemaIds = await resolveSchemaIds(contracts, registry, [FACTS_TOPIC, AGENTS_TOPIC], {
    register: true,
    namespace: '',
  })
  const codec = createCodec({ contracts, registry, schemaIds })
  const producer = await broker.producer()

  const factRecord = (fact: Fact): OutgoingRecord => {
    return { topic: FACTS_TOPIC, key: fact.flowId, value: codec.encode(FACTS_TOPIC, fact), headers: {} }
  }
  const log: StoryLog = {
    broker,
    codec,
    contracts,
    factRecord,
    append: async (records) => {
      await producer.send(records)
    },
    write: async (...stories) => {
      const events = stories.flatMap((story) => story.records)
      const records = events.map(({ envelope, position, key }) => ({
        topic: position.topic,
        key: key ?? envelope.flowId,
        value: null,
        headers: encodeEnvelope(envelope),
      }))
      const placed = await producer.send(records)
      const places = new Map(placed.map((place, index) => [events[index]?.envelope.id ?? '', place]))
      const facts = stories.flatMap((story) => story.facts).map((fact) => moved(fact, places))
      await producer.send(facts.map(factRecord))
      const manifests = stories.flatMap((story) => story.manifests)
      await producer.send(
        manifests.map((manifest) => {
          const key = `${manifest.agent}|${manifest.instance}`
          return { topic: AGENTS_TOPIC, key, value: codec.encode(AGENTS_TOPIC, manifest), headers: {} }
        }),
      )
    },
  }
  return log
}

function moved(fact: Fact, places: ReadonlyMap<string, { partition: number; offset: number }>): Fact {
  const move = <E extends { eventId: string; partition: number; offset: number }>(event: E): E => {
    const place = places.get(event.eventId)
    return place === undefined ? event : { ...event, partition: place.partition, offset: place.offset }
  }
  return { ...fact, inputs: fact.inputs.map(move), outputs: fact.outputs.map(move) }
}
