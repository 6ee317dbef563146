/**
 * `npm run chaos -- [--minutes 20] [--seed n] [--flows-per-second 45] [--wipes n] [--dedup off]`: agents on servers of their own under
 * a load, with a monkey. Ends with 0 only if nothing was lost, nothing doubled and every flow has ended. Without dedup it must not.
 */
import { parseArgs } from 'node:util'
import { actCounts } from './monkey/plan.ts'
import { describeResult, isFlawless } from './report.ts'
import { runChaos } from './run-chaos.ts'

const PATIENCE_MS = 600_000
const MINUTES_PER_WIPE = 10

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'flows-per-second': { type: 'string', default: '45' },
    wipes: { type: 'string' },
    dedup: { type: 'string', default: 'on' },
  },
})
const minutes = Number(given.minutes)
const wipes = Number(given.wipes ?? Math.max(1, Math.round(minutes / MINUTES_PER_WIPE)))
const plan = {
  seed: Number(given.seed),
  durationMs: minutes * 60_000,
  flowsPerSecond: Number(given['flows-per-second']),
  acts: actCounts(minutes, wipes),
  patienceMs: PATIENCE_MS,
  env: { LABAN_DEDUP: given.dedup },
}
const numbers = [plan.seed, plan.durationMs, plan.flowsPerSecond, wipes]
if (!numbers.every((value) => Number.isFinite(value) && value >= 0)) {
  process.stderr.write('minutes, seed, flows-per-second and wipes are numbers\n')
  process.exit(64)
}

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())

const beganAtMs = Date.now()
const tell = (what: string, pid?: number): void => {
  const atS = ((Date.now() - beganAtMs) / 1_000).toFixed(1).padStart(7)
  process.stdout.write(`${atS} s  ${what}${pid === undefined ? '' : ` (${pid})`}\n`)
}
tell(`seed ${plan.seed}`)
try {
  const result = await runChaos(plan, tell, interrupted.signal)
  process.stdout.write(`${describeResult(plan, result)}\n`)
  if (!isFlawless(result)) process.exitCode = 1
} catch (error) {
  if (!interrupted.signal.aborted) throw error
  tell('interrupted: everything has been ended, nothing was judged')
  process.exitCode = 130
}
