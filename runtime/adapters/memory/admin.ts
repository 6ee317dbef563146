/** Administration of the memory broker. */
import type { BrokerAdmin, GroupDescription, OffsetCommit, TopicDescription, TopicSpec } from '../../ports/broker.ts'
import type { Cluster, MemoryTopic } from './cluster.ts'
import type { ConnectionState } from './connection-state.ts'
import { refused } from './refusals.ts'

/** An administrator on a connection. */
export class MemoryAdmin implements BrokerAdmin {
  readonly #connection: ConnectionState

  constructor(connection: ConnectionState) {
    this.#connection = connection
  }

  describeTopics(topics: readonly string[]): Promise<readonly TopicDescription[]> {
    return this.#call((cluster) => topics.flatMap((name) => cluster.topics.get(name) ?? []).map(describe))
  }

  listTopics(): Promise<readonly string[]> {
    return this.#call((cluster) => [...cluster.topics.keys()])
  }

  createTopics(specs: readonly TopicSpec[]): Promise<void> {
    return this.#call((cluster) => {
      for (const spec of specs) cluster.createTopic(spec)
    })
  }

  addPartitions(topic: string, partitions: number): Promise<void> {
    return this.#call((cluster) => {
      const found = existing(cluster, topic, 'add partitions')
      if (partitions < found.partitions.length) {
        throw refused('add partitions', topic, `it has ${found.partitions.length}; partitions cannot be taken away`)
      }
      cluster.growTopic(found, partitions)
      cluster.topicChanged(found)
      for (const group of cluster.groups.values()) {
        if (group.members.some((member) => member.topics.has(topic))) group.rebalance()
      }
    })
  }

  setTopicConfig(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
    return this.#call((cluster) => {
      const found = existing(cluster, topic, 'configure')
      for (const [name, value] of Object.entries(config)) found.config.set(name, value)
      cluster.topicChanged(found)
    })
  }

  offsets(topic: string): Promise<readonly { partition: number; startOffset: number; endOffset: number }[]> {
    return this.#call((cluster) => {
      return existing(cluster, topic, 'list offsets').partitions.map(({ partition, startOffset, endOffset }) => {
        return { partition, startOffset, endOffset }
      })
    })
  }

  offsetsAt(topic: string, atMs: number): Promise<readonly { partition: number; offset: number }[]> {
    return this.#call((cluster) => {
      return existing(cluster, topic, 'list offsets').partitions.map((log) => {
        return { partition: log.partition, offset: log.offsetAt(atMs) }
      })
    })
  }

  groupOffsets(group: string, topics: readonly string[]): Promise<readonly OffsetCommit[]> {
    return this.#call((cluster) => {
      const commits = cluster.groups.get(group)?.commits() ?? []
      return [...commits].filter((commit) => topics.includes(commit.topic))
    })
  }

  setGroupOffsets(group: string, commits: readonly OffsetCommit[]): Promise<void> {
    return this.#call((cluster) => {
      const { members } = cluster.group(group)
      if (members.length > 0) {
        throw refused('set offsets of a group', group, `it has ${members.length} members; stop them first`)
      }
      cluster.group(group).store(commits)
    })
  }

  describeGroup(group: string): Promise<GroupDescription> {
    return this.#call((cluster) => {
      const found = cluster.groups.get(group)
      return { group, state: found?.state ?? 'Dead', members: found?.members.length ?? 0 }
    })
  }

  #call<T>(work: (cluster: Cluster) => T): Promise<T> {
    return this.#connection.call(() => work(this.#connection.cluster))
  }
}

/** Administration never creates a topic by looking at it. */
function existing(cluster: Cluster, topic: string, operation: string): MemoryTopic {
  const found = cluster.topics.get(topic)
  if (found === undefined) throw refused(operation, topic, 'the topic does not exist')
  return found
}

function describe(topic: MemoryTopic): TopicDescription {
  const { name, partitions, replication, config } = topic
  return { topic: name, partitions: partitions.length, replication, config: Object.fromEntries(config) }
}
