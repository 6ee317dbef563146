/** What a finished run has left on its topics: how many records, whether each flow has exactly one, and when they were written. */
import type { Broker } from '../../runtime/ports/broker.ts'

const POLL_MS = 50

/** Where a topic ends now, by partition. */
export async function endOffsets(broker: Broker, topic: string): Promise<ReadonlyMap<number, number>> {
  const offsets = await broker.admin.offsets(topic)
  return new Map(offsets.map(({ partition, endOffset }) => [partition, endOffset]))
}

/** Waits until the topic has had `count` records. */
export async function untilWritten(broker: Broker, topic: string, count: number, timeoutMs: number): Promise<void> {
  const deadlineAtMs = performance.now() + timeoutMs
  for (;;) {
    const written = [...(await endOffsets(broker, topic)).values()].reduce((sum, end) => sum + end, 0)
    if (written >= count) return
    if (performance.now() > deadlineAtMs) throw new Error(`${written} of ${count} records after ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Times of a topic's records, which their producer has set, in order. */
export interface Written {
  readonly firstAtMs: number
  readonly lastAtMs: number
  /** Records a second in the middle eight tenths: without the start and the end of a run. */
  readonly perSecond: number
}

/**
 * Reads what was written behind the given offsets, and checks that there is one record for each of `count` flows.
 * @throws Error when some are missing, or there twice
 */
export async function readWritten(
  broker: Broker,
  topic: string,
  count: number,
  behind: ReadonlyMap<number, number> = new Map<number, number>(),
): Promise<Written> {
  const times: number[] = []
  const flows = new Set<string>()
  for (const { partition, startOffset, endOffset } of await broker.admin.offsets(topic)) {
    const fromOffset = Math.max(startOffset, behind.get(partition) ?? 0)
    for await (const records of broker.reader.read({ topic, partition, fromOffset, toOffset: endOffset })) {
      for (const { key, value, headers, timestampMs } of records) {
        times.push(timestampMs)
        const id = headers['ce_correlationid']
        flows.add(id === undefined ? `${key?.toString()} ${value?.toString('latin1')}` : String(id))
      }
    }
  }
  if (flows.size !== count || times.length !== count) {
    throw new Error(`${times.length} records of ${flows.size} flows on ${topic}; expected ${count} of each`)
  }
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN
  return { firstAtMs: at(0), lastAtMs: at(1), perSecond: (count * 0.8 * 1_000) / (at(0.9) - at(0.1)) }
}
