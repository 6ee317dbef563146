/**
 * What a log file holds, entry by entry. A topic has a number from its first entry on; later entries name it by that.
 *
 * | kind | fields |
 * |---|---|
 * | 1 topic | number, name, replication, partitions, settings (count, then name and value each) |
 * | 2 record | topic, partition, time, key, value, headers (count, then name, 0 or the number of repetitions, values) |
 * | 3 commit | group, topic, partition, offset, metadata |
 * | 4 start | topic, partition, start offset |
 *
 * Records have no offset: they follow each other, from the last start entry of their partition or from 0.
 */
import { LabanError } from '../../../contracts/errors.ts'
import type { BrokerRecord, TopicPartition } from '../../ports/broker.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { Cluster, MemoryTopic } from './cluster.ts'
import type { StoredCommit } from './groups.ts'

const TOPIC = 1
const RECORD = 2
const COMMIT = 3
const START = 4

/** Turns changes into entries. */
export class EntryWriter {
  readonly #out = new ByteWriter()
  readonly #numbers = new Map<string, number>()

  get length(): number {
    return this.#out.length
  }

  take(): Buffer {
    return this.#out.take()
  }

  topic(topic: MemoryTopic): void {
    this.#out.varint(TOPIC)
    this.#out.varint(this.#number(topic.name))
    this.#out.text(topic.name)
    this.#out.varint(topic.replication)
    this.#out.varint(topic.partitions.length)
    this.#out.varint(topic.config.size)
    for (const [name, value] of topic.config) {
      this.#out.text(name)
      this.#out.text(value)
    }
  }

  record(position: TopicPartition, record: BrokerRecord): void {
    this.#out.varint(RECORD)
    this.#position(position)
    this.#out.varint(Math.floor(record.timestampMs))
    this.#out.bytes(record.key)
    this.#out.bytes(record.value)
    const headers = Object.entries(record.headers)
    this.#out.varint(headers.length)
    for (const [name, value] of headers) {
      this.#out.text(name)
      const repeated = Array.isArray(value) ? (value as readonly (Buffer | string)[]) : undefined
      this.#out.varint(repeated?.length ?? 0)
      for (const one of repeated ?? [value as Buffer | string]) this.#out.bytes(Buffer.from(one as string))
    }
  }

  commit(group: string, position: TopicPartition, commit: StoredCommit): void {
    this.#out.varint(COMMIT)
    this.#out.text(group)
    this.#position(position)
    this.#out.varint(commit.offset)
    this.#out.text(commit.metadata)
  }

  start(position: TopicPartition, startOffset: number): void {
    this.#out.varint(START)
    this.#position(position)
    this.#out.varint(startOffset)
  }

  #position({ topic, partition }: TopicPartition): void {
    this.#out.varint(this.#number(topic))
    this.#out.varint(partition)
  }

  #number(topic: string): number {
    const number = this.#numbers.get(topic) ?? this.#numbers.size
    this.#numbers.set(topic, number)
    return number
  }
}

/** Applies entries to a broker, in their order. */
export class EntryLoader {
  readonly #cluster: Cluster
  readonly #topics = new Map<number, string>()
  /** Header names repeat in every record: one string for each. */
  readonly #names = new Map<string, string>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** @throws LABAN_INVARIANT for an entry that no known version writes */
  load(entries: Buffer): void {
    const input = new ByteReader(entries)
    while (!input.isAtEnd) this.#loadOne(input)
  }

  #loadOne(input: ByteReader): void {
    const kind = input.varint()
    if (kind === TOPIC) return this.#topic(input)
    if (kind === RECORD) return this.#record(input)
    if (kind === COMMIT) return this.#commit(input)
    if (kind === START) return this.#cluster.trim(this.#position(input), input.varint())
    throw new LabanError('LABAN_INVARIANT', { problem: `a log file entry of kind ${kind}` })
  }

  #topic(input: ByteReader): void {
    const number = input.varint()
    const topic = input.text()
    this.#topics.set(number, topic)
    const replication = input.varint()
    const partitions = input.varint()
    const config: Record<string, string> = {}
    for (let left = input.varint(); left > 0; left -= 1) config[input.text()] = input.text()
    const created = this.#cluster.createTopic({ topic, partitions, replication, config })
    this.#cluster.growTopic(created, partitions)
    for (const [name, value] of Object.entries(config)) created.config.set(name, value)
  }

  #record(input: ByteReader): void {
    const log = this.#cluster.partition(this.#position(input), 'load')
    const timestampMs = input.varint()
    const key = input.bytes()
    const value = input.bytes()
    const headers: Record<string, Buffer | readonly Buffer[]> = {}
    for (let left = input.varint(); left > 0; left -= 1) {
      const name = this.#name(input.text())
      const repetitions = input.varint()
      const one = (): Buffer => input.bytes() ?? Buffer.alloc(0)
      headers[name] = repetitions === 0 ? one() : Array.from({ length: repetitions }, one)
    }
    log.append({ timestampMs, key, value, headers })
  }

  #commit(input: ByteReader): void {
    const group = input.text()
    const position = this.#position(input)
    this.#cluster.group(group).store([{ ...position, offset: input.varint(), metadata: input.text() }])
  }

  #position(input: ByteReader): TopicPartition {
    const number = input.varint()
    const topic = this.#topics.get(number)
    if (topic === undefined)
      throw new LabanError('LABAN_INVARIANT', { problem: `log file topic ${number} has no entry` })
    return { topic, partition: input.varint() }
  }

  #name(name: string): string {
    const known = this.#names.get(name)
    if (known === undefined) this.#names.set(name, name)
    return known ?? name
  }
}
