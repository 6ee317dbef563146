/** Which agents read a topic: those that have ever announced themselves, and those whose files are given. */
import { readManifests, type Agent, type Stack } from '../../runtime/internal.ts'
import { readingSource } from '../reading-source.ts'

/** An agent that consumes a topic. */
export interface TopicReader {
  readonly agent: string
  /** True when it handles the events of a key in their order. */
  readonly inOrder: boolean
}

/** Topic to its readers, by name. Other programs that read it are not known. */
export async function findReaders(
  stack: Stack,
  agents: readonly Agent[],
): Promise<ReadonlyMap<string, readonly TopicReader[]>> {
  const known = new Map<string, { readonly consumes: readonly string[]; readonly inOrder: boolean }>()
  const announced = (await readManifests(readingSource(stack))).toSorted((a, b) => a.seenAtMs - b.seenAtMs)
  for (const { agent, consumes, policies } of announced) {
    known.set(agent, { consumes, inOrder: policies['order'] !== 'none' })
  }
  for (const { name, topics, order } of agents) known.set(name, { consumes: topics, inOrder: order === 'key' })
  const readers = new Map<string, TopicReader[]>()
  for (const [agent, { consumes, inOrder }] of [...known].toSorted(([a], [b]) => a.localeCompare(b))) {
    for (const topic of consumes) readers.set(topic, [...(readers.get(topic) ?? []), { agent, inOrder }])
  }
  return readers
}
