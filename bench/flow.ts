/**
 * How long `laban flow` takes for a flow of 100,000 events on real servers, from the log and from the ledger: the reading alone in this
 * process, and the whole command with the start of its process. `npm run bench -- flow [--rounds 3]`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AGENTS_TOPIC, FACTS_TOPIC } from '../contracts/contract.ts'
import { logFlowSource, type FlowSource } from '../runtime/internal.ts'
import type { OutgoingRecord } from '../runtime/ports/broker.ts'
import { ledgerFlowSource } from '../services/ledger/index.ts'
import { renderGroups } from '../tracing/index.ts'
import { waitFor } from '../test/harness/wait.ts'
import { fanOut } from '../test/unit/tracing/large-flows.ts'
import type { Story } from '../test/unit/tracing/story.ts'
import { LedgerProcess } from './ledger/process.ts'
import { openBench, type LedgerBench } from './ledger/setup.ts'

const BIN = join(import.meta.dirname, '..', 'bin', 'laban.js')
const BATCH = 250
const TAKE_IN_MS = 300_000

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } })
const rounds = Number(values.rounds)
const story = fanOut(2_000, 25)
const bench = await openBench()
try {
  await append(bench, story)
  bench.running = LedgerProcess.start(bench.env)
  const isTakenIn = async (): Promise<boolean> => (await bench.progress()).derived >= story.facts.length
  await waitFor(isTakenIn, { timeoutMs: TAKE_IN_MS, what: 'the ledger to take the flow in' })
  await bench.running.stop()
  const { source, database, tables } = bench
  const { LABAN_LEDGER_URL: _, LABAN_LEDGER_SCHEMA: __, ...withoutLedger } = bench.env
  console.log(`${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; ${story.facts.length} facts`)
  await read('log', logFlowSource(source))
  await read('ledger', ledgerFlowSource({ database, tables, source }))
  await command('laban flow, log', ['flow', story.flowId, '--on', 'kafka'], withoutLedger)
  await command('laban flow, ledger', ['flow', story.flowId, '--on', 'kafka'], bench.env)
  await command('laban --version', ['--version'], bench.env)
} finally {
  await bench.close(false)
}

async function append({ broker, codec }: LedgerBench, { facts, manifests }: Story): Promise<void> {
  const record = (topic: string, key: string, value: unknown): OutgoingRecord => {
    return { topic, key, value: codec.encode(topic, value), headers: {} }
  }
  const records = [
    ...manifests.map((manifest) => record(AGENTS_TOPIC, `${manifest.agent}/${manifest.instance}`, manifest)),
    ...facts.map((fact) => record(FACTS_TOPIC, fact.flowId, fact)),
  ]
  const producer = await broker.producer()
  for (let at = 0; at < records.length; at += BATCH) await producer.send(records.slice(at, at + BATCH))
  await producer.close()
}

async function read(name: string, source: FlowSource): Promise<void> {
  const tookMs: number[] = []
  const usedMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now()
    const usedBefore = process.threadCpuUsage()
    renderGroups(await source.flow(story.flowId))
    tookMs.push(performance.now() - startedMs)
    const { user, system } = process.threadCpuUsage(usedBefore)
    usedMs.push((user + system) / 1_000)
  }
  console.log(`read from the ${name}, grouped and drawn: ${text(tookMs)} ms; CPU of the thread ${text(usedMs)} ms`)
}

async function command(name: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const tookMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now()
    const child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, ...env }, stdio: 'ignore' })
    const [code] = (await once(child, 'exit')) as [number | null]
    tookMs.push(performance.now() - startedMs)
    if (code !== 0) console.log(`${name} ended with ${code}`)
  }
  console.log(`${name}: ${text(tookMs)} ms`)
}

function text(times: readonly number[]): string {
  return times.map((ms) => ms.toFixed(0)).join(', ')
}
