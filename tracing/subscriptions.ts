/** Who should react to an event: derived from what instances announce, never from a hand-drawn picture. laban's own agents owe nothing. */
import { hash } from 'node:crypto'
import { isPlatformAgent, type Manifest } from '../contracts/manifest.ts'
import type { LogPosition } from './flow-graph.ts'

/** What one agent subscribes to. */
export interface Subscription {
  readonly agent: string
  readonly topics: readonly string[]
  readonly isJoin: boolean
}

const NOBODY: readonly Subscription[] = []

/** The subscriptions of all agents that have announced themselves. */
export class Subscriptions {
  readonly #byAgent = new Map<string, Subscription>()
  readonly #byTopic = new Map<string, Subscription[]>()
  /** `<agent> <topic>/<partition>` to the lowest offset at which a subscription of the agent began. */
  readonly #beginsAt = new Map<string, number>()
  /** By topic and partition, in the order of the topic's subscriptions. */
  readonly #begins = new Map<string, Map<number, readonly number[]>>()

  constructor(manifests: readonly Manifest[]) {
    const newest = new Map<string, Manifest>()
    for (const manifest of manifests) {
      if (isPlatformAgent(manifest.agent)) continue
      const known = newest.get(manifest.agent)
      if (known === undefined || isNewer(manifest, known)) newest.set(manifest.agent, manifest)
      for (const [place, offset] of Object.entries(manifest.subscribedFrom)) {
        const key = `${manifest.agent} ${place}`
        this.#beginsAt.set(key, Math.min(this.#beginsAt.get(key) ?? Infinity, offset))
      }
    }
    const agents = [...newest.keys()].sort()
    for (const agent of agents) {
      const manifest = newest.get(agent)
      if (manifest !== undefined) this.#add({ agent, topics: manifest.consumes, isJoin: manifest.join })
    }
  }

  /** A number of 31 bits that is the same for the same subscriptions, whoever announced them and when: lines that were derived with others are old. */
  get fingerprint(): number {
    const parts = [[...this.#byAgent.values()], [...this.#beginsAt].sort(([a], [b]) => (a < b ? -1 : 1))]
    return Number.parseInt(hash('sha256', JSON.stringify(parts), 'hex').slice(0, 8), 16) >>> 1
  }

  get isEmpty(): boolean {
    return this.#byAgent.size === 0
  }

  of(agent: string): Subscription | undefined {
    return this.#byAgent.get(agent)
  }

  /** Subscriptions that had begun when this record was appended; all of the topic when the place is unknown. */
  to(topic: string, position: LogPosition | null): readonly Subscription[] {
    const all = this.#byTopic.get(topic) ?? NOBODY
    if (position === null || all.length === 0) return all
    const begins = this.#beginsIn(topic, position.partition, all)
    if (begins.every((offset) => position.offset >= offset)) return all
    return all.filter((_, index) => position.offset >= (begins[index] ?? -Infinity))
  }

  /** Where the subscriptions of a topic begin in one of its partitions; asked for every event, so it is looked up once. */
  #beginsIn(topic: string, partition: number, all: readonly Subscription[]): readonly number[] {
    let partitions = this.#begins.get(topic)
    if (partitions === undefined) this.#begins.set(topic, (partitions = new Map<number, readonly number[]>()))
    let begins = partitions.get(partition)
    if (begins === undefined) {
      begins = all.map(({ agent }) => this.#beginsAt.get(`${agent} ${topic}/${partition}`) ?? -Infinity)
      partitions.set(partition, begins)
    }
    return begins
  }

  #add(subscription: Subscription): void {
    this.#byAgent.set(subscription.agent, subscription)
    for (const topic of subscription.topics) {
      const list = this.#byTopic.get(topic)
      if (list === undefined) this.#byTopic.set(topic, [subscription])
      else list.push(subscription)
    }
  }
}

function isNewer(a: Manifest, b: Manifest): boolean {
  if (a.startedAtMs !== b.startedAtMs) return a.startedAtMs > b.startedAtMs
  return a.seenAtMs === b.seenAtMs ? a.instance > b.instance : a.seenAtMs > b.seenAtMs
}
