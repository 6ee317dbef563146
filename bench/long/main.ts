/** `npm run bench -- long [three-minutes | rebalances | crowd | paused]`: long handlers on the real broker. See docs/design/long-handlers.md. */
import { parseArgs } from 'node:util'
import { waitFor } from '../../test/harness/wait.ts'
import { ASKED } from './agent.ts'
import { LongTrial, type LongWorker } from './trial.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    handlers: { type: 'string' },
    seconds: { type: 'string' },
  },
})
const number = (text: string | undefined, otherwise: number): number => (text === undefined ? otherwise : Number(text))
const PATIENCE_MS = 600_000
const QUICK_PER_SECOND = 20
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  'three-minutes': threeMinutes,
  rebalances,
  crowd,
  paused,
}
for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  const part = PARTS[name]
  if (part === undefined) throw new Error(`no such part: ${name}; there are ${Object.keys(PARTS).join(', ')}`)
  say(`--- ${name}`)
  await part()
}

/** One handler of three minutes at default settings, while other keys of its partition flow. */
async function threeMinutes(): Promise<void> {
  const waitMs = number(values.seconds, 180) * 1_000
  const trial = await LongTrial.make({ partitions: 1 })
  try {
    const worker = trial.start()
    await worker.ready
    await trial.ask(1, waitMs)
    const stopAsking = trial.askQuickly(QUICK_PER_SECOND)
    await sleep(waitMs - 5_000)
    const lag = await trial.lag()
    say(`commit lag under the stuck key: ${lag.records} records, metadata ${lag.metadataBytes} bytes`)
    for (const warning of (await worker.report()).warnings) say(`warning: ${warning}`)
    await sleep(5_000)
    await stopAsking()
    await settled(trial)
    await tell(trial, [worker])
  } finally {
    await trial.close()
  }
}

/** Many handlers of a minute while processes join and leave five times. */
async function rebalances(): Promise<void> {
  const handlers = number(values.handlers, 1_000)
  const waitMs = number(values.seconds, 60) * 1_000
  const trial = await LongTrial.make({ partitions: 6 })
  try {
    const workers = [trial.start(), trial.start()]
    await Promise.all(workers.map((worker) => worker.ready))
    const stopAsking = trial.askQuickly(QUICK_PER_SECOND)
    await trial.ask(Math.ceil(handlers * 0.6), waitMs)
    await sleep(waitMs / 12)
    const leaving: Promise<number>[] = []
    const join = async (): Promise<LongWorker> => {
      const worker = trial.start()
      workers.push(worker)
      await worker.ready
      return worker
    }
    const third = await join()
    say('1: a third process has joined')
    await join()
    say('2: a fourth has joined')
    await trial.ask(Math.floor(handlers * 0.4), waitMs)
    await sleep(waitMs / 12)
    const thirdReport = await third.report()
    leaving.push(third.stop())
    say(`3: the third leaves, which runs or awaits ${thirdReport.running} handlers`)
    await sleep(waitMs / 12)
    const fifth = await join()
    say('4: a fifth has joined')
    await sleep(waitMs / 2)
    const lag = await trial.lag()
    say(`commit lag meanwhile: ${lag.records} records, metadata at most ${lag.metadataBytes} bytes`)
    leaving.push(fifth.stop())
    say('5: the fifth leaves')
    for (const [index, drainMs] of (await Promise.all(leaving)).entries())
      say(`drain of leaving process ${index + 1}: ${(drainMs / 1_000).toFixed(1)} s`)
    await stopAsking()
    await settled(trial)
    await tell(
      trial,
      workers.filter((worker) => worker !== third && worker !== fifth),
    )
  } finally {
    await trial.close()
  }
}

/** Ten thousand handlers of a minute in one process, then its drain. */
async function crowd(): Promise<void> {
  const handlers = number(values.handlers, 10_000)
  const waitMs = number(values.seconds, 60) * 1_000
  const trial = await LongTrial.make({ partitions: 6, maxInFlight: handlers + 1_000 })
  try {
    const worker = trial.start()
    await worker.ready
    say(`RSS before: ${(await worker.report()).rssMb.toFixed(0)} MB`)
    const startedMs = performance.now()
    for (let sent = 0; sent < handlers; sent += 1_000) await trial.ask(Math.min(1_000, handlers - sent), waitMs)
    await waitFor(async () => (await worker.report()).running >= handlers, { timeoutMs: waitMs, what: 'all to run' })
    say(`all run after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
    const stopAsking = trial.askQuickly(QUICK_PER_SECOND)
    await sleep(waitMs / 2)
    await stopAsking()
    await tell(trial, [worker])
    const drainMs = await worker.stop()
    const allMs = performance.now() - startedMs
    say(
      `drain: ${(drainMs / 1_000).toFixed(1)} s; all of it took ${(allMs / 1_000).toFixed(1)} s, of which a handler ${waitMs / 1_000}`,
    )
    say(`${await trial.answers()} answers to ${trial.asked} events; lag ${(await trial.lag()).records}`)
  } finally {
    await trial.close()
  }
}

/** A member all of whose partitions are paused. */
async function paused(): Promise<void> {
  const pausedMs = number(values.seconds, 600) * 1_000
  const trial = await LongTrial.make({ partitions: 6 })
  let generations = 0
  let got = 0
  let isOpen = false
  const partitions = Array.from({ length: 6 }, (_, partition) => ({ topic: ASKED, partition }))
  const consumer = await trial.broker.consumer(
    { group: 'long.paused', topics: [ASKED], startFrom: 'earliest' },
    {
      onAssigned: () => void generations++,
      onRebalancing: () => [],
      onBatch: (batch) => {
        if (!isOpen) return batch.fromOffset
        got += batch.records.length
        return batch.lastOffset + 1
      },
      onCrash: (error) => {
        throw error
      },
    },
  )
  try {
    await waitFor(() => generations === 1, { timeoutMs: 30_000, what: 'the first assignment' })
    consumer.pause(partitions)
    await trial.ask(100, 0)
    await sleep(pausedMs)
    const group = await trial.broker.admin.describeGroup('long.paused')
    say(`paused for ${pausedMs / 1_000} s: group ${group.state}, ${group.members} member, ${generations} generation`)
    isOpen = true
    const resumedMs = performance.now()
    consumer.resume(partitions)
    await waitFor(() => got === 100, { timeoutMs: 30_000, what: '100 records' })
    await consumer.commit(partitions.map((at) => ({ ...at, offset: 1, metadata: '' })))
    say(`all 100 records ${(performance.now() - resumedMs).toFixed(0)} ms after the resume; a commit was accepted`)
  } finally {
    await consumer.stop()
    await trial.close()
  }
}

function settled(trial: LongTrial): Promise<unknown> {
  const isSettled = async (): Promise<boolean> => (await trial.lag()).records === 0
  return waitFor(isSettled, { timeoutMs: PATIENCE_MS, what: 'everything to be handled and committed' })
}

async function tell(trial: LongTrial, workers: readonly LongWorker[]): Promise<void> {
  const { runs, repeated, redelivered, quickLatenciesMs } = trial.counts()
  say(`${trial.asked} events, ${runs} runs, ${repeated} ran again, ${redelivered} records delivered again`)
  say(`${await trial.answers()} answers`)
  say(
    `latency of quick events: p50 ${quantile(quickLatenciesMs, 0.5)} ms, p99 ${quantile(quickLatenciesMs, 0.99)} ms, max ${quantile(quickLatenciesMs, 1)} ms`,
  )
  for (const worker of workers) {
    const { rssMb, heartbeatGapsMs, rebalancesMs } = await worker.report()
    say(
      `process: RSS ${rssMb.toFixed(0)} MB; heartbeats every ${quantile(heartbeatGapsMs, 0.5)} ms, p99 ${quantile(heartbeatGapsMs, 0.99)}, ` +
        `max ${quantile(heartbeatGapsMs, 1)}; rebalances ${rebalancesMs.map((ms) => `${ms.toFixed(0)} ms`).join(', ') || 'none'}`,
    )
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
}

function say(text: string): void {
  console.log(text)
}
