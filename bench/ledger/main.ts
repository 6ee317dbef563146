/**
 * The ledger on real servers: how fast it takes in a backlog, how far it lags at half that rate, how fast flows are found and read
 * with that many stored, and what a flow costs on disk. `--flows 100000 --instances 1 --paced-seconds 20 --reads 1000`
 */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { FACTS_TOPIC } from '../../contracts/contract.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { FactLoad } from './load.ts'
import { LedgerProcess } from './process.ts'
import { measureReads } from './reads.ts'
import { openBench, type LedgerBench } from './setup.ts'

const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '100000' },
    instances: { type: 'string', default: '1' },
    'paced-seconds': { type: 'string', default: '20' },
    reads: { type: 'string', default: '1000' },
    keep: { type: 'boolean', default: false },
  },
})
const flows = Number(values.flows)
const POLL_MS = 100
const HOUR_MS = 3_600_000

const bench = await openBench()
console.log(`node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, schema ${bench.schema}`)
try {
  const load = await FactLoad.prepare(bench)
  const facts = await load.append({ flows, seed: 'backlog' })
  console.log(`${flows} flows, ${facts} facts on the log (${(facts / flows).toFixed(1)} a flow)`)
  const rate = await drainBacklog(facts)
  await paced(load, rate / 2)
  await sizes()
  await measureReads(bench, load.sampleIds, Number(values.reads))
} finally {
  await bench.close(values.keep)
}

/** Reads what is on the log; the answer is facts per second. */
async function drainBacklog(facts: number): Promise<number> {
  const startedAtMs = performance.now()
  const processes = Array.from({ length: Number(values.instances) }, () => LedgerProcess.start(bench.env))
  let firstAtMs = 0
  let storedAtMs = 0
  await waitFor(
    async () => {
      const { stored, derived } = await bench.progress()
      if (firstAtMs === 0 && stored > 0) firstAtMs = performance.now()
      if (storedAtMs === 0 && stored >= facts) storedAtMs = performance.now()
      return derived >= facts
    },
    { timeoutMs: HOUR_MS, what: 'the backlog to be taken in' },
  )
  const endedAtMs = performance.now()
  const seconds = (endedAtMs - firstAtMs) / 1_000
  const rate = facts / seconds
  console.log(
    `backlog: ${facts} facts in ${seconds.toFixed(1)} s = ${rate.toFixed(0)} facts/s with all lines up to date ` +
      `(facts alone: ${(facts / ((storedAtMs - firstAtMs) / 1_000)).toFixed(0)} facts/s); ` +
      `first rows ${(firstAtMs - startedAtMs).toFixed(0)} ms after the start; load ${loadavg()[0]?.toFixed(1)}`,
  )
  for (const running of processes) console.log(`  process: ${running.cost(facts)}`)
  const backends = await bench.backendCpuMs()
  console.log(`  PostgreSQL: ${((backends * 1_000) / facts).toFixed(1)} µs CPU per fact`)
  await Promise.all(processes.slice(1).map((running) => running.stop()))
  bench.running = processes[0]
  return rate
}

/** Facts come at a steady rate; how long until they are in the ledger. */
async function paced(load: FactLoad, factsPerSecond: number): Promise<void> {
  const seconds = Number(values['paced-seconds'])
  if (seconds === 0) return
  const lagsMs: number[] = []
  const stop = new AbortController()
  const watching = watchLag(bench, lagsMs, stop.signal)
  const sent = await load.pace({ factsPerSecond, seconds, seed: 'paced' })
  stop.abort()
  await watching
  lagsMs.sort((a, b) => a - b)
  const at = (share: number): string => (lagsMs[Math.floor((lagsMs.length - 1) * share)] ?? NaN).toFixed(0)
  console.log(
    `paced: ${(sent.facts / sent.seconds).toFixed(0)} facts/s for ${sent.seconds.toFixed(0)} s (asked: ${factsPerSecond.toFixed(0)}); ` +
      `stored after p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms; load ${loadavg()[0]?.toFixed(1)}`,
  )
}

/** Remembers the end of the log at each look, and measures when the ledger has passed it. */
async function watchLag(on: LedgerBench, lagsMs: number[], signal: AbortSignal): Promise<void> {
  const marks: { atMs: number; end: number }[] = []
  while (!signal.aborted || marks.length > 0) {
    const end = await on.logEnd(FACTS_TOPIC)
    if (!signal.aborted) marks.push({ atMs: performance.now(), end })
    const { stored } = await on.progress()
    while (marks[0] !== undefined && marks[0].end <= stored) {
      lagsMs.push(performance.now() - marks[0].atMs)
      marks.shift()
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

async function sizes(): Promise<void> {
  const found = await bench.sizes()
  const total = found.reduce((sum, { bytes }) => sum + bytes, 0)
  const stored = await bench.count()
  console.log(
    `size: ${(total / stored.flows).toFixed(0)} bytes a flow, ${(total / stored.facts).toFixed(0)} a fact (${(total / 1e6).toFixed(0)} MB)`,
  )
  for (const { name, bytes } of found) console.log(`  ${name}: ${(bytes / stored.flows).toFixed(0)} bytes a flow`)
}
