/** Runs one worker process through a drain of preloaded flows, or through flows at a steady pace. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CHAIN, chainContracts, type Paper } from './settings.ts'
import avsc from 'avsc'
import { measureRun, untilReported, type RunResult } from './measure.ts'
import { RunStack } from './stack.ts'
import type { WorkerMessage, WorkerSettings } from './worker-protocol.ts'

const TIMEOUT_MS = 300_000

/** A drain, with what the worker cost. */
export interface DrainResult extends RunResult {
  readonly cpuUsPerFlow: number
  readonly peakRssMb: number
}

/** Preloads the flows, starts the worker, waits for the last report. */
export async function drain(settings: WorkerSettings, flows: number): Promise<DrainResult> {
  const stack = await RunStack.open(settings)
  try {
    await stack.load(flows)
    const worker = await startWorker(settings)
    await untilReported(stack.broker, flows, TIMEOUT_MS)
    const { cpuMs, peakRssBytes } = await usage(worker)
    await stopWorker(worker)
    const result = await measureRun(stack.broker, flows)
    return { ...result, cpuUsPerFlow: (cpuMs * 1_000) / flows, peakRssMb: peakRssBytes / 1_048_576 }
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
  const worker = await startWorker(settings)
  const latencies: number[] = []
  const type = avsc.Type.forSchema(chainContracts.get(CHAIN[3]).schema as avsc.Schema)
  const observer = await stack.broker.consumer(
    { group: 'bench.observer', topics: [CHAIN[3]], startFrom: 'earliest', maxWaitMs: 100 },
    {
      onAssigned: () => undefined,
      onRebalancing: () => [],
      onBatch: ({ records, lastOffset }) => {
        for (const { value } of records) {
          if (value !== null) latencies.push(Date.now() - (type.decode(value, 5).value as Paper).sentAtMs)
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
    if (dueInMs > 0) await new Promise((resolve) => setTimeout(resolve, dueInMs))
    await stack.send([index])
  }
  await untilReported(stack.broker, total, TIMEOUT_MS)
  while (latencies.length < total) await new Promise((resolve) => setTimeout(resolve, 20))
  await observer.stop()
  await stopWorker(worker)
  await stack.close()
  return latencies.slice(options.perSecond)
}

async function startWorker(settings: WorkerSettings): Promise<ChildProcess> {
  const worker = fork(join(import.meta.dirname, 'worker.ts'), [JSON.stringify(settings)], {
    execArgv: ['--conditions=laban-source', '--max-semi-space-size=64'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  await message(worker, 'ready')
  return worker
}

async function usage(worker: ChildProcess): Promise<Extract<WorkerMessage, { kind: 'usage' }>> {
  worker.send({ kind: 'usage' })
  return (await message(worker, 'usage')) as Extract<WorkerMessage, { kind: 'usage' }>
}

async function stopWorker(worker: ChildProcess): Promise<void> {
  worker.send({ kind: 'stop' })
  await once(worker, 'exit')
}

function message(worker: ChildProcess, kind: WorkerMessage['kind']): Promise<WorkerMessage> {
  return new Promise((resolve, reject) => {
    worker.once('exit', (code) => reject(new Error(`worker ended with ${code}`)))
    worker.on('message', (received: WorkerMessage) => {
      if (received.kind === kind) resolve(received)
    })
  })
}
