/** One process that runs all three stages of a variant until it is told to stop; tells its parent when it is ready, and what it cost. */
import { labanWorker } from './laban-worker.ts'
import { rawWorker } from './raw-worker.ts'
import type { Variant } from './settings.ts'
import type { WorkerSettings } from './worker-protocol.ts'

const settings = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings
const startWorker: Readonly<Record<Exclude<Variant, 'd'>, (given: WorkerSettings) => Promise<() => Promise<void>>>> = {
  a: rawWorker,
  b: labanWorker,
  c: labanWorker,
  e: rawWorker,
}

if (settings.variant === 'd') throw new Error('the embedded variant runs in embedded.ts')
const stop = await startWorker[settings.variant](settings)
let peakRssBytes = 0
const sampler = setInterval(() => (peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())), 100)
const cpuAtStart = process.cpuUsage()
process.send?.({ kind: 'ready' })
process.on('message', (message: { kind: string }) => {
  if (message.kind === 'usage') {
    const { user, system } = process.cpuUsage(cpuAtStart)
    process.send?.({ kind: 'usage', cpuMs: (user + system) / 1_000, peakRssBytes })
  }
  if (message.kind === 'stop') {
    clearInterval(sampler)
    void stop().then(() => process.exit(0))
  }
})
