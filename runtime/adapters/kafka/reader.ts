/** Reads partitions without any group: plain fetches at offsets that we keep ourselves, so it starts at once and leaves nothing behind. */
import type { BrokerRecord, LogReader, TopicPartition } from '../../ports/broker.ts'
import { buildCall, callWithoutParsing } from './broker-calls.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { createErrorFromCode, FetchedBatchClass, type DecodedPartition, type FetchAnswer } from './kafkajs-internals.ts'
import { EARLIEST, LATEST, listOffsets } from './list-offsets.ts'
import type { PhysicalNames } from './physical-names.ts'
import { toRecord } from './records.ts'

const MAX_FETCH_BYTES = 4 * 1_048_576
const MAX_WAIT_MS = 100
const READ_COMMITTED = 1
const OFFSET_OUT_OF_RANGE = 1

interface Chunk {
  readonly records: readonly BrokerRecord[]
  readonly nextOffset: number
}

/** Offsets below the start of the log are skipped; reading ends at the end of the log at the time of the call. */
export class KafkaReader implements LogReader {
  readonly #access: ClusterAccess
  readonly #names: PhysicalNames

  constructor(access: ClusterAccess, names: PhysicalNames) {
    this.#access = access
    this.#names = names
  }

  read(from: TopicPartition & { fromOffset: number; toOffset?: number }): AsyncIterable<readonly BrokerRecord[]> {
    const end = this.#end(from)
    // Whoever never iterates never sees the failure either.
    end.catch(() => undefined)
    return this.#batches(from, end)
  }

  async *#batches(
    from: TopicPartition & { fromOffset: number; toOffset?: number },
    end: Promise<number>,
  ): AsyncGenerator<readonly BrokerRecord[]> {
    const toOffset = Math.min(from.toOffset ?? Infinity, await end)
    let next = from.fromOffset
    while (next < toOffset) {
      const chunk = await this.#fetch(from, next)
      const records = chunk.records.filter(({ offset }) => offset < toOffset)
      if (records.length > 0) yield records
      // Nothing at all below the end: the log has been cut meanwhile.
      if (chunk.nextOffset === next && next >= (await this.#end(from))) return
      next = chunk.nextOffset
    }
  }

  async #end(from: TopicPartition): Promise<number> {
    const ends = await listOffsets(this.#access, this.#named(from.topic), [from.partition], LATEST)
    return ends.get(from.partition) ?? 0
  }

  async #start(from: TopicPartition): Promise<number> {
    const starts = await listOffsets(this.#access, this.#named(from.topic), [from.partition], EARLIEST)
    return starts.get(from.partition) ?? 0
  }

  async #fetch(from: TopicPartition, offset: number): Promise<Chunk> {
    const { physicalTopic } = this.#named(from.topic)
    const answer = await this.#access.retry({ operation: 'read', topic: from.topic }, async () => {
      const leader = await this.#access.leaderOf(physicalTopic, from.partition, {
        operation: 'read',
        topic: from.topic,
      })
      const call = buildCall(leader, 'Fetch', {
        isolationLevel: READ_COMMITTED,
        maxWaitTime: MAX_WAIT_MS,
        minBytes: 1,
        maxBytes: MAX_FETCH_BYTES,
        rackId: '',
        topics: [
          {
            topic: physicalTopic,
            partitions: [{ partition: from.partition, fetchOffset: String(offset), maxBytes: MAX_FETCH_BYTES }],
          },
        ],
      })
      const { responses } = await callWithoutParsing<FetchAnswer>(leader, call)
      const found = responses[0]?.partitions[0]
      if (found === undefined) throw createErrorFromCode(-1)
      if (found.errorCode !== 0 && found.errorCode !== OFFSET_OUT_OF_RANGE) {
        this.#access.forget(physicalTopic)
        throw createErrorFromCode(found.errorCode)
      }
      return found
    })
    if (answer.errorCode === OFFSET_OUT_OF_RANGE)
      return { records: [], nextOffset: Math.max(offset, await this.#start(from)) }
    return toChunk(physicalTopic, offset, answer)
  }

  #named(topic: string): { topic: string; physicalTopic: string } {
    return { topic, physicalTopic: this.#names.topic(topic) }
  }
}

function toChunk(physicalTopic: string, offset: number, answer: DecodedPartition): Chunk {
  if (answer.messages.length === 0) return { records: [], nextOffset: offset }
  const batch = new FetchedBatchClass(physicalTopic, String(offset), answer)
  return { records: batch.messages.map(toRecord), nextOffset: Math.max(offset, Number(batch.lastOffset()) + 1) }
}
