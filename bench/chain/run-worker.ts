/** Runs workers through a drain of preloaded flows, through bursts, or through flows at a steady pace. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Broker } from '../../runtime/ports/broker.ts'
import { redisCommands, usedByHandlings, type HandlingBytes } from './handling-bytes.ts'
import { endOffsets, readWritten, untilWritten, type Written } from './measure.ts'
import { CHAIN, paperType, type Paper } from './settings.ts'
import { RunStack } from './stack.ts'
import type { Usage, WorkerMessage, WorkerSettings } from './worker-protocol.ts'

const TIMEOUT_MS = 600_000
/** Pause between two bursts, so that commits, facts and collected garbage of one do not fall into the next. */
const BETWEEN_BURSTS_MS = 2_000

/** A drain, with what the workers cost. */
export interface DrainResult extends Written {
  readonly flowsPerSecond: number
  readonly cpuUsPerFlow: number
  readonly peakRssMb: number
  readonly usages: readonly Usage[]
  /** Commands that Redis ran meanwhile, for whomever. */
  readonly redisCommands: number
  /** What a handling has left behind and asked for; only where it was asked for. */
  readonly bytes?: HandlingBytes
}

export interface DrainOptions {
  /** Workers that share the work. @default 1 */
  readonly processes?: number
  readonly withBytes?: boolean
  /** Done when the flows are on the log, before the workers start. */
  readonly before?: () => void
  /** Done when the last output is written, before the workers stop. */
  readonly after?: (broker: Broker) => Promise<void>
}

/** Preloads the flows, starts the workers, waits for the last output of the last stage. */
export async function drain(settings: WorkerSettings, flows: number, options: DrainOptions = {}): Promise<DrainResult> {
  const { processes = 1, withBytes = false } = options
  const [first, last] = edges(settings)
  const stack = await RunStack.open(settings)
  try {
    await stack.load(0, flows)
    options.before?.()
    const commandsBefore = await redisCommands(settings)
    const workers = await Promise.all(Array.from({ length: processes }, () => Worker.start(settings)))
    const all = untilWritten(stack.broker, last, flows, TIMEOUT_MS)
    await Promise.race([all, ...workers.map((worker) => worker.died)])
    await options.after?.(stack.broker)
    const usages = await Promise.all(workers.map((worker) => worker.usage()))
    const commands = (await redisCommands(settings)) - commandsBefore
    await Promise.all(workers.map((worker) => worker.stop()))
    const written = await readWritten(stack.broker, last, flows)
    const { firstAtMs } = first === last ? written : await readWritten(stack.broker, first, flows)
    const cpuMs = usages.reduce((sum, usage) => sum + usage.cpuMs, 0)
    return {
      ...written,
      flowsPerSecond: (flows / (written.lastAtMs - firstAtMs)) * 1_000,
      cpuUsPerFlow: (cpuMs * 1_000) / flows,
      peakRssMb: megabytes(usages),
      usages,
      redisCommands: commands,
      ...(withBytes ? { bytes: await usedByHandlings(stack, settings) } : {}),
    }
  } finally {
    await stack.close()
  }
}

/** What bursts of flows, one after another, took in one process. */
export interface BurstResult {
  /** From the first event's sending to the last report; the first burst meets a process that has done nothing yet. */
  readonly wallMs: readonly number[]
  readonly cpuMs: number
  readonly peakRssMb: number
  readonly peakHandlers: number
  readonly usage: Usage
}

/** Sends all flows of a burst at once to a worker that is ready, and waits for their reports. */
export async function burst(settings: WorkerSettings, flows: number, bursts: number): Promise<BurstResult> {
  const [, last] = edges(settings)
  const stack = await RunStack.open(settings)
  try {
    const worker = await Worker.start(settings)
    const wallMs: number[] = []
    for (let index = 0; index < bursts; index++) {
      await wait(BETWEEN_BURSTS_MS)
      const before = await endOffsets(stack.broker, last)
      const startedAtMs = Date.now()
      await stack.load(index * flows, flows)
      await Promise.race([untilWritten(stack.broker, last, (index + 1) * flows, TIMEOUT_MS), worker.died])
      wallMs.push((await readWritten(stack.broker, last, flows, before)).lastAtMs - startedAtMs)
    }
    const usage = await worker.usage()
    await worker.stop()
    const { cpuMs, peakHandlers } = usage
    return { wallMs, cpuMs, peakRssMb: megabytes([usage]), peakHandlers, usage }
  } finally {
    await stack.close()
  }
}

/** Sends flows at a steady pace; returns the time of each from its sending to its report, in ms. */
export async function pace(
  settings: WorkerSettings,
  options: { perSecond: number; seconds: number },
): Promise<number[]> {
  const stack = await RunStack.open(settings)
  try {
    const worker = await Worker.start(settings)
    const latencies: number[] = []
    const observer = await stack.broker.consumer(
      { group: 'bench.observer', topics: [CHAIN[3]], startFrom: 'earliest', maxWaitMs: 100 },
      {
        onAssigned: () => undefined,
        onRebalancing: () => [],
        onBatch: ({ records, lastOffset }) => {
          for (const { value } of records) {
            if (value !== null) latencies.push(Date.now() - (paperType.decode(value, 5).value as Paper).sentAtMs)
          }
          return lastOffset + 1
        },
        onCrash: (error) => {
          throw error
        },
      },
    )
    const total = options.perSecond * options.seconds
    const startedAtMs = performance.now()
    for (let index = 0; index < total; index++) {
      const dueInMs = startedAtMs + (index / options.perSecond) * 1_000 - performance.now()
      if (dueInMs > 0) await wait(dueInMs)
      await stack.load(index, 1)
    }
    await Promise.race([untilWritten(stack.broker, CHAIN[3], total, TIMEOUT_MS), worker.died])
    while (latencies.length < total) await wait(20)
    await observer.stop()
    await worker.stop()
    return latencies.slice(options.perSecond)
  } finally {
    await stack.close()
  }
}

/** Outputs of the first and of the last stage that run. */
function edges({ workload }: WorkerSettings): readonly [string, string] {
  const [first = 0] = workload.stages
  const last = workload.stages.at(-1) ?? first
  return [CHAIN[first + 1] ?? '', CHAIN[last + 1] ?? '']
}

function megabytes(usages: readonly Usage[]): number {
  return Math.max(...usages.map(({ peakRssBytes }) => peakRssBytes)) / 1_048_576
}

/** A worker process. */
class Worker {
  readonly #process: ChildProcess
  /** Rejects when the process ends before it was told to: what waits for its work must not wait on. */
  readonly died: Promise<never>
  #isStopping = false

  private constructor(process: ChildProcess) {
    this.#process = process
    this.died = new Promise((_, reject) => {
      process.once('exit', (code) => {
        if (!this.#isStopping) reject(new Error(`a worker ended with ${code}`))
      })
    })
    this.died.catch(() => undefined)
  }

  /** Resolves when its consumers have joined. */
  static async start(settings: WorkerSettings): Promise<Worker> {
    const child = fork(join(import.meta.dirname, 'worker.ts'), [JSON.stringify(settings)], {
      execArgv: ['--conditions=laban-source', ...settings.workerFlags],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const worker = new Worker(child)
    await worker.#message('ready')
    return worker
  }

  async usage(): Promise<Usage> {
    this.#process.send({ kind: 'usage' })
    return (await this.#message('usage')).usage
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#process.send({ kind: 'stop' })
    await once(this.#process, 'exit')
  }

  #message<K extends WorkerMessage['kind']>(kind: K): Promise<Extract<WorkerMessage, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`worker ended with ${code}`))
      const onMessage = (received: WorkerMessage): void => {
        if (received.kind !== kind) return
        this.#process.off('exit', onExit)
        this.#process.off('message', onMessage)
        resolve(received as Extract<WorkerMessage, { kind: K }>)
      }
      this.#process.on('exit', onExit)
      this.#process.on('message', onMessage)
    })
  }
}
