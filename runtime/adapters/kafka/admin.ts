/** Administration of topics and groups. Nothing here joins a group, and nothing is created by being looked at. */
import { LabanError } from '../../../contracts/errors.ts'
import type { BrokerAdmin, GroupDescription, OffsetCommit, TopicDescription, TopicSpec } from '../../ports/broker.ts'
import type { Right } from '../../../contracts/rights.ts'
import { groupOperations, OPERATION_BITS, topicOperations, type AuthorizedOperations } from './authorized-operations.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { fetchGroupOffsets, storeGroupOffsets } from './group-offsets.ts'
import { rootCause } from './kafka-errors.ts'
import { EARLIEST, LATEST, listOffsets, type NamedTopic } from './list-offsets.ts'
import type { PhysicalNames } from './physical-names.ts'
import { addTopicPartitions, createMissingTopics } from './topic-changes.ts'
import { readTopicConfigs, setTopicConfigs } from './topic-configs.ts'

/** An administrator on shared connections; `onPartitionsAdded` lets consumers of the same process look at once. */
export class KafkaAdmin implements BrokerAdmin {
  readonly #access: ClusterAccess
  readonly #names: PhysicalNames
  readonly #onPartitionsAdded: () => void

  constructor(access: ClusterAccess, names: PhysicalNames, onPartitionsAdded: () => void) {
    this.#access = access
    this.#names = names
    this.#onPartitionsAdded = onPartitionsAdded
  }

  describeTopics(topics: readonly string[]): Promise<readonly TopicDescription[]> {
    if (topics.length === 0) return Promise.resolve([])
    return this.#access.retry({ operation: 'describe topics' }, async () => {
      const asked = new Map(topics.map((topic) => [this.#names.topic(topic), topic]))
      const described = await this.#access.describe([...asked.keys()])
      const found = described.filter(({ topicErrorCode }) => topicErrorCode === 0)
      const configs = await readTopicConfigs(
        this.#access,
        found.map(({ topic }) => topic),
      )
      return found.map(({ topic, partitionMetadata }) => ({
        topic: asked.get(topic) ?? topic,
        partitions: partitionMetadata.length,
        replication: Math.min(...partitionMetadata.map(({ replicas }) => replicas.length)),
        config: configs.get(topic) ?? {},
      }))
    })
  }

  listTopics(): Promise<readonly string[]> {
    return this.#access.retry({ operation: 'list topics' }, async () => {
      const described = await this.#access.describe([])
      return described
        .filter(({ isInternal }) => !isInternal)
        .flatMap(({ topic }) => this.#names.logicalTopic(topic) ?? [])
    })
  }

  createTopics(specs: readonly TopicSpec[]): Promise<void> {
    return createMissingTopics(
      this.#access,
      specs.map((spec) => ({ ...spec, physicalTopic: this.#names.topic(spec.topic) })),
    )
  }

  async addPartitions(topic: string, partitions: number): Promise<void> {
    await addTopicPartitions(this.#access, this.#named(topic), partitions)
    this.#onPartitionsAdded()
  }

  async setTopicConfig(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
    const { physicalTopic } = this.#named(topic)
    await this.#access.retry({ operation: 'configure', topic }, () =>
      setTopicConfigs(this.#access, physicalTopic, config),
    )
  }

  async offsets(topic: string): Promise<readonly { partition: number; startOffset: number; endOffset: number }[]> {
    const partitions = await this.#partitionsOf(topic)
    const [starts, ends] = await Promise.all([
      listOffsets(this.#access, this.#named(topic), partitions, EARLIEST),
      listOffsets(this.#access, this.#named(topic), partitions, LATEST),
    ])
    return partitions.map((partition) => {
      return { partition, startOffset: starts.get(partition) ?? 0, endOffset: ends.get(partition) ?? 0 }
    })
  }

  async offsetsAt(topic: string, atMs: number): Promise<readonly { partition: number; offset: number }[]> {
    const partitions = await this.#partitionsOf(topic)
    // Ends first: a record that is appended between the two questions must not lie before the answer.
    const ends = await listOffsets(this.#access, this.#named(topic), partitions, LATEST)
    const found = await listOffsets(this.#access, this.#named(topic), partitions, atMs)
    return partitions.map((partition) => {
      const offset = found.get(partition) ?? -1
      return { partition, offset: offset >= 0 ? offset : (ends.get(partition) ?? 0) }
    })
  }

  async groupOffsets(group: string, topics: readonly string[]): Promise<readonly OffsetCommit[]> {
    const positions = []
    for (const topic of topics) {
      for (const partition of await this.#partitionsOf(topic)) {
        positions.push({ topic, physicalTopic: this.#names.topic(topic), partition })
      }
    }
    return fetchGroupOffsets(this.#access, { group, physicalGroup: this.#names.group(group) }, positions)
  }

  async setGroupOffsets(group: string, commits: readonly OffsetCommit[]): Promise<void> {
    const { members } = await this.describeGroup(group)
    if (members > 0) {
      const problem = `it has ${members} members; stop them first`
      throw new LabanError('LABAN_BROKER_REFUSED', { operation: 'set offsets of a group', topic: group, problem })
    }
    const named = commits.map((commit) => ({ ...commit, physicalTopic: this.#names.topic(commit.topic) }))
    await storeGroupOffsets(this.#access, { group, physicalGroup: this.#names.group(group) }, named)
  }

  describeGroup(group: string): Promise<GroupDescription> {
    return this.#access.retry({ operation: 'describe group', topic: group }, async () => {
      const physicalGroup = this.#names.group(group)
      const coordinator = await this.#access.coordinatorOf(physicalGroup)
      const { groups } = await coordinator.describeGroups({ groupIds: [physicalGroup] })
      const [found] = groups
      return { group, state: found?.state ?? 'Dead', members: found?.members.length ?? 0 }
    })
  }

  async checkRights(rights: readonly Right[]): Promise<void> {
    const physical = (right: Right): string =>
      right.resource === 'topic' ? this.#names.topic(right.name) : this.#names.group(right.name)
    const of = (resource: Right['resource']): readonly string[] => [
      ...new Set(rights.filter((right) => right.resource === resource).map(physical)),
    ]
    const allowed = await this.#access.retry({ operation: 'read rights' }, async () => ({
      topic: await topicOperations(await this.#access.anyBroker(), of('topic')),
      group: await this.#groupOperations(of('group')),
    }))
    for (const right of rights) {
      const name = physical(right)
      if (((allowed[right.resource].get(name) ?? 0) & OPERATION_BITS[right.operation]) !== 0) continue
      const { resource, operation } = right
      throw new LabanError('LABAN_BROKER_DENIED', {
        user: this.#access.user,
        operation,
        resource: `${resource} ${name}`,
        ...(resource === 'topic' ? { topic: right.name } : {}),
      })
    }
  }

  /** A group that may not even be described allows nothing. */
  async #groupOperations(groups: readonly string[]): Promise<AuthorizedOperations> {
    const found = new Map<string, number>()
    for (const group of groups) {
      try {
        const coordinator = await this.#access.coordinatorOf(group)
        for (const [name, operations] of await groupOperations(coordinator, [group])) found.set(name, operations)
      } catch (error) {
        const cause = rootCause(error)
        const type = cause instanceof Error && 'type' in cause ? cause.type : undefined
        if (type !== 'GROUP_AUTHORIZATION_FAILED') throw error
      }
    }
    return found
  }

  async #partitionsOf(topic: string): Promise<readonly number[]> {
    const { physicalTopic } = this.#named(topic)
    const found = await this.#access.partitionsOf(physicalTopic, { operation: 'describe', topic })
    return found.map(({ partitionId }) => partitionId)
  }

  #named(topic: string): NamedTopic {
    return { topic, physicalTopic: this.#names.topic(topic) }
  }
}
