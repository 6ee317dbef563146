/** How long the event loop of this process stood still while something ran. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** The longest stall, in milliseconds, between the start of `work` and its end. */
export async function longestStallMs(work: () => unknown): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  // The first samples only tell the monitor when it began.
  await ticks()
  await work()
  await ticks()
  delay.disable()
  return delay.max / 1e6
}

function ticks(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 25))
}
