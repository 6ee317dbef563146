/** Looks at the committed offsets of the agents while they run, and says when everything that their topics hold has been committed. */
import { Kafka, logLevel, type Admin } from 'kafkajs'
import type { Choreography, OffsetSample } from './history.ts'
import type { LogAddress } from './read-log.ts'

/** See the file's head. */
export class OffsetWatch {
  /** What was seen, each change once. */
  readonly samples: OffsetSample[] = []
  readonly #admin: Admin
  readonly #namespace: string
  readonly #choreography: Choreography
  readonly #last = new Map<string, string>()

  constructor({ brokers, namespace }: Pick<LogAddress, 'brokers' | 'namespace'>, choreography: Choreography) {
    const retry = { retries: 2, initialRetryTime: 100, maxRetryTime: 500 }
    this.#admin = new Kafka({ brokers: [...brokers], clientId: 'watch', logLevel: logLevel.NOTHING, retry }).admin()
    this.#namespace = namespace
    this.#choreography = choreography
  }

  /** Looks once. A broker that does not answer is looked at the next time. */
  async look(): Promise<void> {
    try {
      await this.#admin.connect()
      for (const { name, topics } of this.#choreography.agents) await this.#lookAt(name, topics)
    } catch {
      // The monkey may have it.
    }
  }

  /** What is not committed yet: `<group> <topic>/<partition>: <committed> of <end>`. Undefined while the broker does not answer. */
  async behind(): Promise<readonly string[] | undefined> {
    try {
      await this.#admin.connect()
      const all = (await this.#admin.listTopics()).map((name) => name.slice(this.#namespace.length + 1))
      const found: string[] = []
      for (const { name, topics } of this.#choreography.agents) {
        const retries = all.filter((topic) => topic.startsWith(`${name}.retry.`))
        found.push(...(await this.#behind(name, topics)), ...(await this.#behind(`${name}.retry`, retries)))
      }
      return found
    } catch {
      return undefined
    }
  }

  async close(): Promise<void> {
    await this.#admin.disconnect().catch(() => undefined)
  }

  async #lookAt(agent: string, topics: readonly string[]): Promise<void> {
    const committed = await this.#committed(agent, topics)
    // After the answer: whatever was committed by then was committed before.
    const seenAtMs = Date.now()
    for (const sample of committed) {
      const place = `${agent} ${sample.topic} ${sample.partition}`
      const said = `${sample.offset} ${sample.metadata}`
      if (sample.offset < 0 || this.#last.get(place) === said) continue
      this.#last.set(place, said)
      this.samples.push({ agent, ...sample, seenAtMs })
    }
  }

  async #committed(
    group: string,
    topics: readonly string[],
  ): Promise<readonly Pick<OffsetSample, 'topic' | 'partition' | 'offset' | 'metadata'>[]> {
    const physical = topics.map((topic) => `${this.#namespace}.${topic}`)
    const answer = await this.#admin.fetchOffsets({ groupId: `${this.#namespace}.${group}`, topics: physical })
    return answer.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset, metadata }) => ({
        ...{ topic: topic.slice(this.#namespace.length + 1), partition },
        ...{ offset: Number(offset), metadata: metadata ?? '' },
      })),
    )
  }

  async #behind(group: string, topics: readonly string[]): Promise<readonly string[]> {
    if (topics.length === 0) return []
    const committed = await this.#committed(group, topics)
    const ends = await Promise.all(
      topics.map(async (topic) => {
        const offsets = await this.#admin.fetchTopicOffsets(`${this.#namespace}.${topic}`)
        return offsets.map(({ partition, high }) => ({ topic, partition, end: Number(high) }))
      }),
    )
    return ends.flat().flatMap(({ topic, partition, end }) => {
      const at = committed.find((found) => found.topic === topic && found.partition === partition)?.offset ?? -1
      return end > 0 && at < end ? [`${group} ${topic}/${partition}: ${Math.max(0, at)} of ${end}`] : []
    })
  }
}
