/** One process that runs the stages of a variant until it is told to stop; tells its parent when it is ready, and what it cost. */
import { handlers } from './agents.ts'
import { labanWorker } from './laban-worker.ts'
import { rawWaitingWorker } from './raw-waiting-worker.ts'
import { rawWorker } from './raw-worker.ts'
import type { RunningWorker, Usage, WorkerSettings } from './worker-protocol.ts'

function start(settings: WorkerSettings): Promise<RunningWorker> {
  const { variant, workload } = settings
  if (variant === 'd') throw new Error('the embedded variant runs in embedded.ts')
  if (variant === 'b' || variant === 'c') return labanWorker(settings)
  return workload.waitMs > 0 ? rawWaitingWorker(settings) : rawWorker(settings)
}

const worker = await start(JSON.parse(process.argv[2] ?? '{}') as WorkerSettings)
const cpuAtStart = process.cpuUsage()
process.send?.({ kind: 'ready' })
process.on('message', (message: { kind: string }) => {
  if (message.kind === 'usage') process.send?.({ kind: 'usage', usage: usage() })
  if (message.kind === 'stop') void worker.stop().then(() => process.exit(0))
})

function usage(): Usage {
  const { user, system } = process.cpuUsage(cpuAtStart)
  return {
    cpuMs: (user + system) / 1_000,
    peakRssBytes: process.resourceUsage().maxRSS * 1_024,
    peakHandlers: handlers.peak,
    store: worker.storeUse,
  }
}
