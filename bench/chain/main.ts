/** `npm run bench -- chain`: laban beside a raw kafkajs loop, interleaved in one sitting, as ratios to the raw loop. */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { runSettings } from './addresses.ts'
import { embeddedDrain } from './embedded.ts'
import { costPerHandling, describeCost } from './handling-cost.ts'
import { drain, pace, type DrainResult } from './run-worker.ts'
import { VARIANTS, type Variant } from './settings.ts'
import { median, spread } from './statistics.ts'
import { CHAIN_WORKLOAD } from './workload.ts'

const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '50000' },
    pairs: { type: 'string', default: '7' },
    variants: { type: 'string', default: 'b,c,d,e' },
    'paced-seconds': { type: 'string', default: '20' },
    'paced-pairs': { type: 'string', default: '3' },
    'max-open': { type: 'string', default: String(CHAIN_WORKLOAD.maxOpen) },
    json: { type: 'string' },
  },
})
const flows = Number(values.flows)
const pairs = Number(values.pairs)
const maxOpen = Number(values['max-open'])
const others = values.variants.split(',').filter((letter): letter is Variant => letter in VARIANTS && letter !== 'a')
const PACED_FLOWS_PER_SECOND = 50

interface Pair {
  readonly raw: DrainResult
  readonly other: DrainResult
  /** Of the machine, in the minute before the pair has ended. */
  readonly load: number
}

const load = (): number => Number((loadavg()[0] ?? NaN).toFixed(2))
const machine = { cpus: availableParallelism(), model: cpus()[0]?.model ?? 'unknown', node: process.version }

/** Bytes are counted once for each variant: they do not change from run to run. */
function runOnce(variant: Variant, withBytes: boolean): Promise<DrainResult> {
  return variant === 'd' ? embeddedDrain(flows) : drain(runSettings(variant, { maxOpen }), flows, { withBytes })
}

async function drainPairs(variant: Variant): Promise<readonly Pair[]> {
  const done: Pair[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const raw = await runOnce('a', false)
    const other = await runOnce(variant, pair === 0 && (variant === 'b' || variant === 'c'))
    done.push({ raw, other, load: load() })
    const ratio = other.flowsPerSecond / raw.flowsPerSecond
    console.log(
      `  ${variant} pair ${pair + 1}: raw ${raw.flowsPerSecond.toFixed(0)}/s, ${variant} ${other.flowsPerSecond.toFixed(0)}/s, ` +
        `ratio ${ratio.toFixed(2)}, load ${load()}`,
    )
  }
  return done
}

/** Median and spread of one figure, of the variant, of the raw loop, and of their ratio in each pair. */
function compare(done: readonly Pair[], figure: (result: DrainResult) => number): Readonly<Record<string, unknown>> {
  const ratios = done.map(({ raw, other }) => figure(other) / figure(raw))
  const all = (pick: 'raw' | 'other'): number[] => done.map((pair) => figure(pair[pick]))
  return {
    median: median(all('other')),
    spread: spread(all('other'), 0),
    rawMedian: median(all('raw')),
    rawSpread: spread(all('raw'), 0),
    ratio: median(ratios),
    ratioSpread: spread(ratios),
  }
}

function describe(name: string, unit: string, compared: Readonly<Record<string, unknown>>): string {
  const { median: middle, spread: around, rawMedian, ratio, ratioSpread } = compared
  const [own, raw] = [Number(middle).toFixed(0), Number(rawMedian).toFixed(0)]
  return `  ${name}: ${own} ${unit} (${String(around)}), raw ${raw}, ratio ${Number(ratio).toFixed(2)} (${String(ratioSpread)})`
}

console.log(
  `chain: ${flows} flows, ${pairs} pairs; ${machine.cpus} x ${machine.model}, Node ${machine.node}, load ${load()}`,
)
const drained: Record<string, unknown>[] = []
for (const variant of others) {
  console.log(`${variant} ${VARIANTS[variant]}`)
  const done = await drainPairs(variant)
  const row = {
    flowsPerSecond: compare(done, ({ flowsPerSecond }) => flowsPerSecond),
    cpuUsPerFlow: compare(done, ({ cpuUsPerFlow }) => cpuUsPerFlow),
    peakRssMb: compare(done, ({ peakRssMb }) => peakRssMb),
  }
  console.log(describe('flows/s', '', row.flowsPerSecond))
  console.log(describe('CPU per flow', 'us', row.cpuUsPerFlow))
  console.log(describe('RSS', 'MB', row.peakRssMb))
  const cost = done[0] === undefined ? undefined : costPerHandling(done[0].other, flows)
  for (const line of cost === undefined ? [] : describeCost(cost)) console.log(`  ${line}`)
  drained.push({ variant, what: VARIANTS[variant], ...row, loads: done.map((pair) => pair.load), cost })
}

/** Latencies of one run, each from its sending to its report. */
async function pacedOnce(variant: Variant, seconds: number): Promise<Readonly<Record<'p50' | 'p95' | 'p99', number>>> {
  const latencies = await pace(runSettings(variant, { maxOpen }), { perSecond: PACED_FLOWS_PER_SECOND, seconds })
  latencies.sort((x, y) => x - y)
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? NaN
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

const pacedSeconds = Number(values['paced-seconds'])
const paced: Record<string, unknown>[] = []
if (pacedSeconds > 0) {
  const variants = (['a', ...others] as const).filter((letter) => letter !== 'd')
  const runs = new Map(variants.map((variant) => [variant, [] as Awaited<ReturnType<typeof pacedOnce>>[]]))
  for (let pair = 0; pair < Number(values['paced-pairs']); pair++) {
    for (const variant of variants) runs.get(variant)?.push(await pacedOnce(variant, pacedSeconds))
  }
  for (const [variant, own] of runs) {
    const of = (key: 'p50' | 'p95' | 'p99'): readonly number[] => own.map((run) => run[key])
    const row = { variant, p50Ms: median(of('p50')), p95Ms: median(of('p95')), p99Ms: median(of('p99')) }
    paced.push({ ...row, p50Spread: spread(of('p50'), 0), p99Spread: spread(of('p99'), 0) })
    console.log(
      `${variant} paced at ${PACED_FLOWS_PER_SECOND}/s: p50 ${row.p50Ms} ms (${spread(of('p50'), 0)}), ` +
        `p95 ${row.p95Ms} ms, p99 ${row.p99Ms} ms (${spread(of('p99'), 0)}), load ${load()}`,
    )
  }
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ machine, flows, pairs, drained, paced }, null, 2)}\n`)
}
