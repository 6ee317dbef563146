/** What a finished run has left on its topics: how many reports, whether each flow has exactly one, and how long it took. */
import type { Broker } from '../../runtime/ports/broker.ts'
import { CHAIN } from './settings.ts'

/** Times are the records' own, set by the worker when it sent them. */
export interface RunResult {
  readonly flowsPerSecond: number
  readonly durationMs: number
}

/** Waits until the last topic holds `flows` records. */
export async function untilReported(broker: Broker, flows: number, timeoutMs: number): Promise<void> {
  const deadlineAtMs = performance.now() + timeoutMs
  for (;;) {
    const offsets = await broker.admin.offsets(CHAIN[3])
    const count = offsets.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)
    if (count >= flows) return
    if (performance.now() > deadlineAtMs) throw new Error(`${count} of ${flows} reports after ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Checks that every flow has one report, and measures from the first output of the first stage to the last report. */
export async function measureRun(broker: Broker, flows: number): Promise<RunResult> {
  const first = await scan(broker, CHAIN[1], 1)
  const last = await scan(broker, CHAIN[3])
  if (last.keys.size !== flows || last.records !== flows) {
    throw new Error(`${last.records} reports of ${last.keys.size} flows; expected ${flows} of each`)
  }
  const durationMs = last.latestMs - first.earliestMs
  return { durationMs, flowsPerSecond: (flows / durationMs) * 1_000 }
}

interface Scan {
  readonly keys: Set<string>
  records: number
  earliestMs: number
  latestMs: number
}

async function scan(broker: Broker, topic: string, perPartition = Infinity): Promise<Scan> {
  const result: Scan = { keys: new Set(), records: 0, earliestMs: Infinity, latestMs: 0 }
  for (const { partition, startOffset, endOffset } of await broker.admin.offsets(topic)) {
    const toOffset = Math.min(endOffset, startOffset + perPartition)
    for await (const records of broker.reader.read({ topic, partition, fromOffset: startOffset, toOffset })) {
      for (const { key, timestampMs } of records) {
        result.records++
        result.keys.add(key?.toString() ?? '')
        result.earliestMs = Math.min(result.earliestMs, timestampMs)
        result.latestMs = Math.max(result.latestMs, timestampMs)
      }
    }
  }
  return result
}
