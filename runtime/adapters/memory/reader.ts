/** Reads the log of the memory broker without a group. */
import type { BrokerRecord, LogReader, TopicPartition } from '../../ports/broker.ts'
import { delay } from '../../ports/clock.ts'
import type { ConnectionState } from './connection-state.ts'
import type { PartitionLog } from './log.ts'

const LIMIT = { maxRecords: 1_000, maxBytes: 4 * 1_048_576 }
/** Batches after which the event loop gets its turn. */
const BATCHES_PER_TURN = 16

/** A reader on a connection. Offsets below the start of the log are skipped; reading ends at the end of the log at the time of the call. */
export class MemoryReader implements LogReader {
  readonly #connection: ConnectionState

  constructor(connection: ConnectionState) {
    this.#connection = connection
  }

  read(from: TopicPartition & { fromOffset: number; toOffset?: number }): AsyncIterable<readonly BrokerRecord[]> {
    const log = this.#connection.call(() => this.#connection.cluster.partition(from, 'read'))
    const bounds = log.then((found) => ({ log: found, toOffset: Math.min(from.toOffset ?? Infinity, found.endOffset) }))
    bounds.catch(() => undefined)
    return this.#batches(from.fromOffset, bounds)
  }

  async *#batches(
    fromOffset: number,
    bounds: Promise<{ log: PartitionLog; toOffset: number }>,
  ): AsyncGenerator<readonly BrokerRecord[]> {
    const { log, toOffset } = await bounds
    let next = fromOffset
    for (let batches = 1; ; batches += 1) {
      const records = await this.#connection.call(() => log.read(next, toOffset, LIMIT))
      const last = records.at(-1)
      if (last === undefined) return
      yield records
      next = last.offset + 1
      if (batches % BATCHES_PER_TURN === 0) await delay(this.#connection.cluster.clock, 0)
    }
  }
}
