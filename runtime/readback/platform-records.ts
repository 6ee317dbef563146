/**
 * Reads the platform's own records, facts and manifests, from the log. A record that cannot be decoded is reported and passed by;
 * one of a newer format stops the reading, because what it says would be misread.
 */
import type { Decoded, EventCodec } from '../../contracts/codec.ts'
import { AGENTS_TOPIC, FACTS_TOPIC, type TopicContract } from '../../contracts/contract.ts'
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import { FACT_FORMAT_VERSION, type Fact } from '../../contracts/fact.ts'
import type { Uuid } from '../../contracts/ids.ts'
import { MANIFEST_FORMAT_VERSION, type Manifest } from '../../contracts/manifest.ts'
import { partitionOfKey } from '../../contracts/murmur2.ts'
import type { Broker, BrokerRecord, TopicPartition } from '../ports/broker.ts'
import type { RecordArchive } from '../ports/record-archive.ts'

/** What flows are read with. */
export interface LogSource {
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  readonly codec: EventCodec
  readonly contracts: { readonly topics: ReadonlyMap<string, TopicContract> }
  /** Has records that their topics have forgotten. @default nothing has */
  readonly archive?: RecordArchive
}

/** Facts, and how many records of them could not be read. */
export interface ReadFacts {
  readonly facts: readonly Fact[]
  readonly unreadable: number
}

/** A range of one partition, as it was when asked for. */
export type PartitionRange = TopicPartition & { readonly fromOffset: number; readonly toOffset: number }

/** The ranges that hold a topic now; none when the topic does not exist. */
export async function rangesOf(broker: LogSource['broker'], topic: string): Promise<readonly PartitionRange[]> {
  const topics = await broker.admin.listTopics()
  if (!topics.includes(topic)) return []
  const offsets = await broker.admin.offsets(topic)
  return offsets
    .map(({ partition, startOffset, endOffset }) => ({
      topic,
      partition,
      fromOffset: startOffset,
      toOffset: endOffset,
    }))
    .sort((a, b) => a.partition - b.partition)
}

/** The records of a range, one by one. */
export async function* recordsIn(broker: LogSource['broker'], range: PartitionRange): AsyncGenerator<BrokerRecord> {
  if (range.fromOffset >= range.toOffset) return
  for await (const batch of broker.reader.read(range)) yield* batch
}

/** All facts of one flow. They lie in one partition, unless the topic has been given more of them since. */
export async function readFactsOf(source: LogSource, flowId: Uuid): Promise<ReadFacts> {
  const ranges = await rangesOf(source.broker, FACTS_TOPIC)
  if (ranges.length === 0) return { facts: [], unreadable: 0 }
  const own = partitionOfKey(flowId, ranges.length)
  const found = await readFacts(
    source,
    ranges.filter((range) => range.partition === own),
    flowId,
  )
  if (found.facts.length > 0 || found.unreadable > 0) return found
  return readFacts(
    source,
    ranges.filter((range) => range.partition !== own),
    flowId,
  )
}

/** All facts of some partitions, or those of one flow among them. */
export async function readFacts(
  source: LogSource,
  ranges: readonly PartitionRange[],
  flowId?: Uuid,
): Promise<ReadFacts> {
  const facts: Fact[] = []
  let unreadable = 0
  const wanted = flowId === undefined ? undefined : Buffer.from(flowId)
  for (const range of ranges) {
    if (range.fromOffset >= range.toOffset) continue
    for await (const batch of source.broker.reader.read(range)) {
      for (const record of batch) {
        // The key is compared before anything is decoded: most records of a partition belong to other flows.
        if (wanted !== undefined && record.key?.equals(wanted) !== true) continue
        const read = tryDecode<Fact>(source.codec, range, record, FACT_FORMAT_VERSION)
        // Waiting for each of 100,000 facts would take longer than decoding them.
        const fact = isMissing(read) ? await decodeRecord<Fact>(source.codec, range, record, FACT_FORMAT_VERSION) : read
        if (fact === undefined) unreadable++
        else facts.push(fact)
      }
    }
  }
  return { facts, unreadable }
}

/** A record that a newer laban has written: `topic/partition@offset`, the version of its format, and the newest that is known here. */
export interface NewerRecord {
  readonly place: string
  readonly found: number
  readonly known: number
}

/** One record of a topic of facts. */
export type FactRecord =
  | { readonly state: 'read'; readonly fact: Fact }
  | (NewerRecord & { readonly state: 'newer'; readonly flowId: Uuid })
  | { readonly state: 'unreadable' }

/** The facts of a partition one by one; those of a newer format are named instead of ending the reading. `wanted` is asked by record key. */
export async function* factsIn(
  source: LogSource,
  range: PartitionRange,
  wanted?: (flowId: Uuid) => boolean,
): AsyncGenerator<FactRecord> {
  for await (const record of recordsIn(source.broker, range)) {
    const flowId = record.key?.toString('utf8') ?? ''
    if (wanted?.(flowId) === false) continue
    try {
      const read = tryDecode<Fact>(source.codec, range, record, FACT_FORMAT_VERSION)
      const fact = isMissing(read) ? await decodeRecord<Fact>(source.codec, range, record, FACT_FORMAT_VERSION) : read
      yield fact === undefined ? { state: 'unreadable' } : { state: 'read', fact }
    } catch (error) {
      if (!isLabanError(error) || error.code !== 'LABAN_FORMAT_TOO_NEW') throw error
      const { what, found, known } = error.details
      yield { state: 'newer', flowId, place: String(what), found: Number(found), known: Number(known) }
    }
  }
}

/** The newest manifest of every instance that has not been forgotten, stopped ones included. */
export async function readManifests(source: LogSource): Promise<readonly Manifest[]> {
  const manifests = new Map<string, Manifest>()
  for (const range of await rangesOf(source.broker, AGENTS_TOPIC)) {
    for await (const record of recordsIn(source.broker, range)) {
      const key = record.key?.toString('utf8') ?? ''
      if (record.value === null) manifests.delete(key)
      else {
        const manifest = await decodeRecord<Manifest>(source.codec, range, record, MANIFEST_FORMAT_VERSION)
        if (manifest !== undefined) manifests.set(key, manifest)
      }
    }
  }
  return [...manifests.values()]
}

/** One record's value; undefined for one that can never be read. @throws LABAN_FORMAT_TOO_NEW, LABAN_REGISTRY_UNAVAILABLE */
export async function decodeRecord<T extends { readonly formatVersion: number }>(
  codec: EventCodec,
  place: TopicPartition,
  record: BrokerRecord,
  known: number,
): Promise<T | undefined> {
  try {
    let read = tryDecode<T>(codec, place, record, known)
    while (isMissing(read)) {
      await codec.load(read.loadSchemaId)
      read = tryDecode<T>(codec, place, record, known)
    }
    return read
  } catch (error) {
    // A schema that the registry does not know.
    if (isTerminal(error)) return undefined
    throw error
  }
}

/** A writer's schema must be loaded first. */
type MissingSchema = Extract<Decoded, { readonly loadSchemaId: number }>

function tryDecode<T extends { readonly formatVersion: number }>(
  codec: EventCodec,
  { topic, partition }: TopicPartition,
  { value, offset }: BrokerRecord,
  known: number,
): T | undefined | MissingSchema {
  let decoded: Decoded
  try {
    decoded = codec.decode(topic, value, { partition, offset })
  } catch (error) {
    if (isTerminal(error)) return undefined
    throw error
  }
  if ('loadSchemaId' in decoded) return decoded
  const found = decoded.value as T
  if (found.formatVersion <= known) return found
  throw new LabanError('LABAN_FORMAT_TOO_NEW', {
    what: `${topic}/${partition}@${offset}`,
    found: found.formatVersion,
    known,
  })
}

function isMissing(read: object | undefined): read is MissingSchema {
  return read !== undefined && 'loadSchemaId' in read
}

function isTerminal(error: unknown): boolean {
  return isLabanError(error) && error.errorClass === 'terminal'
}
