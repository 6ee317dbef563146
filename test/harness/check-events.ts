/** What must hold of the events on some topics, whatever happened to the processes that wrote them: read from the log alone. */
import { createHash } from 'node:crypto'
import { decodeEnvelope } from '../../contracts/envelope.ts'
import type { Broker, BrokerRecord } from '../../runtime/ports/broker.ts'
import { readTopic } from './read-topic.ts'

/** Events found on some topics; `violations` is empty when every id has one content. */
export interface EventsFound {
  readonly records: number
  /** Records beyond the first of their id. */
  readonly copies: number
  /** Topic to flow to the ids of its events there. */
  readonly idsByTopic: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>
  readonly violations: readonly string[]
}

/** Reads all records of the topics. */
export async function findEvents(
  { broker }: { readonly broker: Broker },
  topics: readonly string[],
): Promise<EventsFound> {
  const violations: string[] = []
  const contents = new Map<string, string>()
  const idsByTopic = new Map<string, ReadonlyMap<string, ReadonlySet<string>>>()
  let records = 0
  for (const topic of topics) {
    const idsByFlow = new Map<string, Set<string>>()
    for (const record of await readTopic(broker, topic)) {
      records++
      const { id, flowId } = decodeEnvelope(record.headers, record)
      const content = contentOf(record)
      const first = contents.get(id)
      contents.set(id, first ?? content)
      if (first !== undefined && first !== content) violations.push(`${topic} ${id} has two contents`)
      idsByFlow.set(flowId, (idsByFlow.get(flowId) ?? new Set()).add(id))
    }
    idsByTopic.set(topic, idsByFlow)
  }
  return { records, copies: records - contents.size, idsByTopic, violations }
}

/** Key, value and what the record says of itself: what is content in an event. */
export function contentOf({ key, value, headers }: BrokerRecord): string {
  const said = Object.entries(headers)
    .filter(([name]) => name.startsWith('ce_'))
    .map(([name, text]) => `${name}=${String(text)}`)
    .sort()
  const hash = createHash('sha256')
  for (const part of [key ?? '', value ?? '', ...said]) hash.update(part).update('\u0000')
  return hash.digest('hex')
}

/** True when every agent has committed past everything that the topics it consumes hold. */
export async function isSettled(
  { broker: { admin } }: { readonly broker: Broker },
  consumes: Readonly<Record<string, readonly string[]>>,
): Promise<boolean> {
  for (const [agent, topics] of Object.entries(consumes)) {
    const commits = await admin.groupOffsets(agent, topics)
    for (const topic of topics) {
      for (const { partition, endOffset } of await admin.offsets(topic)) {
        const committed = commits.find((commit) => commit.topic === topic && commit.partition === partition)
        if (endOffset > 0 && (committed?.offset ?? 0) < endOffset) return false
      }
    }
  }
  return true
}
