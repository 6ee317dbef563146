/**
 * A consumer group: members, generations and committed offsets. A new generation begins only when every member of the old
 * one has stopped, answered with its commits and joined again, or was expelled.
 */
import type { OffsetCommit, TopicPartition } from '../../ports/broker.ts'
import { assignSticky } from './assign.ts'
import { refused } from './refusals.ts'
import type { Work } from './turns.ts'

/** The longest commit metadata that Kafka takes by default. */
const MAX_METADATA_BYTES = 4_096

/** A committed position. */
export interface StoredCommit {
  readonly offset: number
  readonly metadata: string
}

/** What a group asks of its members. */
export interface GroupMember {
  readonly id: string
  readonly topics: ReadonlySet<string>
  /** False when it does not answer (crashed, stalled): then only its session time-out ends its membership. */
  readonly isResponsive: boolean
  held(): readonly TopicPartition[]
  /** Stops delivery; the answer is committed with the generation that ends. */
  rejoin(): readonly OffsetCommit[]
  assign(generation: number, partitions: readonly TopicPartition[]): void
}

/** What a group needs from the broker it lives in. */
export interface GroupHost {
  schedule(work: Work): void
  /** @throws LABAN_BROKER_REFUSED when there is no such topic */
  partitionsOf(topic: string): readonly TopicPartition[]
  committed(group: string, position: TopicPartition, commit: StoredCommit): void
}

/** As Kafka names them; a group that never was is `Dead`. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'Stable'

/** One group; it exists from its first use on, and its offsets outlive its members. */
export class Group {
  readonly name: string
  readonly #host: GroupHost
  readonly #members = new Map<string, GroupMember>()
  readonly #rejoined = new Set<string>()
  readonly #offsets = new Map<string, Map<number, StoredCommit>>()
  #generation = 0
  #state: GroupState = 'Empty'

  constructor(name: string, host: GroupHost) {
    this.name = name
    this.#host = host
  }

  get state(): GroupState {
    return this.#state
  }

  get members(): readonly GroupMember[] {
    return [...this.#members.values()]
  }

  join(member: GroupMember): void {
    this.#members.set(member.id, member)
    this.#rejoined.add(member.id)
    this.rebalance()
  }

  /** Ends a membership: left, expelled, or silent for longer than its session. Harmless when it has ended. */
  remove(memberId: string): void {
    this.#rejoined.delete(memberId)
    if (this.#members.delete(memberId)) this.rebalance()
  }

  has(memberId: string): boolean {
    return this.#members.has(memberId)
  }

  /** A member that was silent answers again: a rebalance that waits for it goes on. */
  returned(member: GroupMember): void {
    if (this.#state !== 'PreparingRebalance' || this.#rejoined.has(member.id)) return
    this.#host.schedule(() => this.#callMembers())
  }

  /** Begins a new generation unless one is being prepared, which then counts the change in. */
  rebalance(): void {
    if (this.#state !== 'PreparingRebalance') {
      this.#state = 'PreparingRebalance'
      this.#host.schedule(() => this.#callMembers())
    } else if (this.#isReady()) {
      this.#host.schedule(() => this.#complete())
    }
  }

  /** What was committed for a partition. */
  committed(position: TopicPartition): StoredCommit | undefined {
    return this.#offsets.get(position.topic)?.get(position.partition)
  }

  /** True for a partition above all that the group has commits for: it was added to a topic that the group already reads. */
  isAdded({ topic, partition }: TopicPartition): boolean {
    const known = [...(this.#offsets.get(topic)?.keys() ?? [])]
    return known.length > 0 && partition > Math.max(...known)
  }

  /** @throws LABAN_BROKER_REFUSED when the member is not part of the group, or metadata is too long; then nothing is stored */
  commit(memberId: string, commits: readonly OffsetCommit[]): void {
    if (!this.#members.has(memberId)) {
      throw refused('commit', this.name, `${memberId} is not a member of the current generation`)
    }
    this.store(commits)
  }

  /** Stores offsets without a membership: by an administrator, or when a run is loaded. */
  store(commits: readonly OffsetCommit[]): void {
    for (const { topic, partition, metadata } of commits) {
      if (this.#host.partitionsOf(topic)[partition] === undefined) {
        throw refused('commit', topic, `there is no partition ${partition}`)
      }
      const bytes = Buffer.byteLength(metadata)
      if (bytes <= MAX_METADATA_BYTES) continue
      throw refused('commit', topic, `metadata of ${bytes} bytes is longer than ${MAX_METADATA_BYTES}`)
    }
    for (const { topic, partition, offset, metadata } of commits) {
      const byPartition = this.#offsets.get(topic) ?? new Map<number, StoredCommit>()
      this.#offsets.set(topic, byPartition.set(partition, { offset, metadata }))
      this.#host.committed(this.name, { topic, partition }, { offset, metadata })
    }
  }

  /** Everything that was committed. */
  *commits(): Iterable<OffsetCommit> {
    for (const [topic, byPartition] of this.#offsets) {
      for (const [partition, commit] of byPartition) yield { topic, partition, ...commit }
    }
  }

  #callMembers(): number {
    for (const member of this.members) {
      if (this.#rejoined.has(member.id) || !member.isResponsive) continue
      try {
        this.commit(member.id, member.rejoin())
      } catch {
        // As on Kafka: a last commit that is refused is lost, and the rebalance goes on.
      }
      this.#rejoined.add(member.id)
    }
    if (this.#isReady()) this.#host.schedule(() => this.#complete())
    return 1
  }

  #isReady(): boolean {
    return this.members.every((member) => this.#rejoined.has(member.id))
  }

  #complete(): number {
    if (this.#state !== 'PreparingRebalance' || !this.#isReady()) return 1
    this.#generation += 1
    this.#rejoined.clear()
    this.#state = this.#members.size === 0 ? 'Empty' : 'Stable'
    const members = this.members
    const candidates = members.map((member) => ({ id: member.id, topics: member.topics, held: member.held() }))
    const shares = assignSticky(candidates, this.#partitions())
    for (const member of members) member.assign(this.#generation, shares.get(member.id) ?? [])
    return 1
  }

  #partitions(): readonly TopicPartition[] {
    const topics = new Set(this.members.flatMap((member) => [...member.topics]))
    return [...topics].toSorted().flatMap((topic) => this.#host.partitionsOf(topic))
  }
}
