/** Shows how far publishing has come: a bar on a terminal, a line every few seconds elsewhere, nothing when it is over at once. */
import { SingleBar } from 'cli-progress'
import { systemClock } from '../../runtime/internal.ts'
import type { Output } from '../output.ts'
import type { Totals } from './publish-rows.ts'

const LINE_EVERY_MS = 5_000

/** Progress of one run. */
export interface Progress {
  update(totals: Totals, readBytes: number): void
  stop(): void
}

/** Starts showing progress; `totalBytes` is the size of the input when it is known. */
export function showProgress(output: Output, totalBytes: number | undefined): Progress {
  const startedAtMs = systemClock.nowMs()
  const rate = ({ published }: Totals): number => (published / Math.max(1, systemClock.nowMs() - startedAtMs)) * 1_000
  if (process.stderr.isTTY && totalBytes !== undefined && totalBytes > 0) return bar(totalBytes, rate)
  let lastLineAtMs = startedAtMs
  return {
    update: (totals) => {
      if (systemClock.nowMs() - lastLineAtMs < LINE_EVERY_MS) return
      lastLineAtMs = systemClock.nowMs()
      output.note(`published ${totals.published}, failed ${totals.failed}, ${rate(totals).toFixed(0)} events/s`)
    },
    stop: () => undefined,
  }
}

function bar(totalBytes: number, rate: (totals: Totals) => number): Progress {
  const single = new SingleBar({
    format: ' {bar} {percentage}% | {published} published | {failed} failed | {rate} events/s | {eta_formatted} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  })
  single.start(totalBytes, 0, { published: 0, failed: 0, rate: '0' })
  return {
    update: (totals, readBytes) => {
      const { published, failed } = totals
      single.update(Math.min(readBytes, totalBytes), { published, failed, rate: rate(totals).toFixed(0) })
    },
    stop: () => single.stop(),
  }
}
