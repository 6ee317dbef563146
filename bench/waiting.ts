/**
 * `npm run bench -- waiting`: flows whose three handlers wait 200 ms each, all submitted at once, in one process with everything on,
 * beside a raw kafkajs loop that starts handlers at once and keeps nothing. Ideal is three waits, one after another.
 */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { runSettings } from './chain/addresses.ts'
import { burst, type BurstResult } from './chain/run-worker.ts'
import type { Variant } from './chain/settings.ts'
import { median, spread } from './chain/statistics.ts'
import { CHAIN_WORKLOAD } from './chain/workload.ts'

const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '2000,10000' },
    pairs: { type: 'string', default: '3' },
    bursts: { type: 'string', default: '3' },
    'wait-ms': { type: 'string', default: '200' },
    variants: { type: 'string', default: 'a,b' },
    'heap-mb': { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'string' },
  },
})
const waitMs = Number(values['wait-ms'])
const idealMs = waitMs * CHAIN_WORKLOAD.stages.length
const variants = (['a', 'b'] as const).filter((letter) => values.variants.includes(letter))
const NAMES = { a: 'raw loop', b: 'laban' } as const

/** All of a burst may wait at once, and stages overlap: room for each agent to hold it twice. */
function runOnce(variant: Variant, flows: number): Promise<BurstResult> {
  const settings = runSettings(variant, { waitMs, maxInFlight: flows, maxOpen: flows * 2 })
  const { profile, 'heap-mb': heapMb } = values
  // Memory is what is measured: the same flags as `laban run`, which has none.
  const workerFlags = [
    ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
    ...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`]),
  ]
  return burst({ ...settings, workerFlags }, flows, Number(values.bursts))
}

function rowOf(variant: 'a' | 'b', flows: number, runs: readonly BurstResult[]): Readonly<Record<string, unknown>> {
  const cold = runs.map(({ wallMs }) => (wallMs[0] ?? NaN) / 1_000)
  const warm = runs.flatMap(({ wallMs }) => wallMs.slice(1)).map((ms) => ms / 1_000)
  return {
    flows,
    variant: NAMES[variant],
    idealS: idealMs / 1_000,
    coldS: median(cold),
    coldSpread: spread(cold),
    warmS: median(warm),
    warmSpread: spread(warm),
    peakHandlers: Math.max(...runs.map(({ peakHandlers }) => peakHandlers)),
    peakRssMb: Math.round(Math.max(...runs.map(({ peakRssMb }) => peakRssMb))),
    cpuUsPerFlow: Math.round(median(runs.map(({ cpuMs, wallMs }) => (cpuMs * 1_000) / (flows * wallMs.length)))),
    load: Number((loadavg()[0] ?? NaN).toFixed(1)),
  }
}

console.log(
  `waiting: ${waitMs} ms a handler, ideal ${idealMs / 1_000} s; ${values.pairs} runs of ${values.bursts} bursts each`,
)
const rows: Readonly<Record<string, unknown>>[] = []
for (const flows of values.flows.split(',').map(Number)) {
  const runs: Record<'a' | 'b', BurstResult[]> = { a: [], b: [] }
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    for (const variant of variants) {
      const result = await runOnce(variant, flows)
      runs[variant].push(result)
      const walls = result.wallMs.map((ms) => (ms / 1_000).toFixed(2)).join(', ')
      console.log(`  ${flows} flows, ${NAMES[variant]}: ${walls} s, ${result.peakRssMb.toFixed(0)} MB`)
    }
  }
  rows.push(...variants.map((variant) => rowOf(variant, flows, runs[variant])))
}
console.table(rows)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ waitMs, rows }, null, 2))
