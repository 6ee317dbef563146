/** What lies before one agent: from the offsets that its group has committed to the ends of its topics. */
import type { Manifest } from '../../contracts/manifest.ts'
import type { TopicPartition } from '../ports/broker.ts'
import type { LogSource } from './platform-records.ts'

/** See the file's head. */
export interface AgentLag {
  /** Those that are finished above an unfinished one count until it is finished too. */
  readonly events: number
  /** Age of the oldest of them by its record's time; null when there is none or it cannot be read. */
  readonly oldestMs: number | null
}

interface Behind extends TopicPartition {
  readonly fromOffset: number
  readonly events: number
}

/** The age is looked for in so many partitions, those with the largest lag. */
const MAX_LOOKED_AT = 32

/** Lag and age; topics that are not there have none. */
export async function lagOf(
  { admin, reader }: LogSource['broker'],
  of: { readonly agent: string; readonly manifests: readonly Manifest[]; readonly nowMs: number },
): Promise<AgentLag> {
  const { agent, manifests, nowMs } = of
  const known = new Set(await admin.listTopics())
  const topics = [...new Set(manifests.flatMap(({ consumes }) => consumes))].filter((topic) => known.has(topic))
  const commits = new Map((await admin.groupOffsets(agent, topics)).map((at) => [placeOf(at), at.offset]))
  const behind: Behind[] = []
  for (const topic of topics) {
    for (const { partition, startOffset, endOffset } of await admin.offsets(topic)) {
      const place = placeOf({ topic, partition })
      // Before the first commit the manifests say where the subscription began.
      const began = manifests.flatMap(({ subscribedFrom }) => subscribedFrom[place] ?? [])
      const position = commits.get(place) ?? (began.length === 0 ? endOffset : Math.min(...began))
      const fromOffset = Math.max(position, startOffset)
      if (endOffset > fromOffset) behind.push({ topic, partition, fromOffset, events: endOffset - fromOffset })
    }
  }
  const lookedAt = behind.toSorted((a, b) => b.events - a.events).slice(0, MAX_LOOKED_AT)
  const times = (await Promise.all(lookedAt.map((at) => firstTimeOf(reader, at)))).flatMap((time) => time ?? [])
  return {
    events: behind.reduce((sum, { events }) => sum + events, 0),
    oldestMs: times.length === 0 ? null : Math.max(0, nowMs - Math.min(...times)),
  }
}

async function firstTimeOf(
  reader: LogSource['broker']['reader'],
  { topic, partition, fromOffset }: Behind,
): Promise<number | undefined> {
  for await (const [record] of reader.read({ topic, partition, fromOffset, toOffset: fromOffset + 1 }))
    return record?.timestampMs
  return undefined
}

function placeOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
