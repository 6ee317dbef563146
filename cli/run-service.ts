/** Runs a service until it is told to stop: first signal drains, second one ends at once; a fatal error ends not ready. */
import {
  describeUnknown,
  isLabanError,
  openMetrics,
  serveHealth,
  type Config,
  type Health,
  type Logger,
  type Service,
} from '../runtime/internal.ts'

/** What is run: agents, or the ledger. */
export interface Runnable {
  readonly health: Health
  /** What it counts of itself; absent when nothing. */
  readonly metrics?: Service['metrics']
  start(): Promise<void>
  stop(): Promise<void>
}

/** How it ended: the exit status. */
export async function runUntilStopped<S extends Runnable>(
  makeService: (onFatal: (error: unknown) => void) => Promise<S>,
  options: {
    readonly config: Config
    readonly log: Logger
    /** Under which metrics are exported. */
    readonly serviceName: string
    readonly onRunning?: (service: S, healthPort: number) => void
  },
): Promise<number> {
  const { config, log, serviceName, onRunning } = options
  let end: (exitCode: number) => void = () => undefined
  const ended = new Promise<number>((resolve) => (end = resolve))
  const service = await makeService((error) => {
    log.error('fatal', { problem: describeUnknown(error), error: isLabanError(error) ? error.toJSON() : String(error) })
    end(isLabanError(error) ? error.exitCode : 70)
  })
  const stopListening = onSignals(log, () => end(0))
  const metrics = await openMetrics(config, { serviceName, log, source: async () => service.metrics?.() })
  const health = await serveHealth({ health: () => service.health, metrics: metrics?.text }, config.http)
  try {
    await service.start()
    onRunning?.(service, health.port)
    return await ended
  } finally {
    await service.stop()
    await health.close()
    await metrics?.shutdown()
    stopListening()
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function untilSignal(log: Logger): Promise<void> {
  return new Promise((resolve) => {
    onSignals(log, resolve)
  })
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

function onSignals(log: Logger, drain: () => void): () => void {
  let isDraining = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isDraining) process.exit(130)
    isDraining = true
    log.info('draining; signal again to end at once', { signal })
    drain()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}
