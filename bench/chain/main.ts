/** `npm run bench -- chain`: laban beside a raw kafkajs loop, interleaved in one sitting, as ratios to the raw loop. */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { runSettings } from './addresses.ts'
import { embeddedDrain } from './embedded.ts'
import { median, spread } from './statistics.ts'
import { drain, pace, type DrainResult } from './run-worker.ts'
import { VARIANTS, type Variant } from './settings.ts'

const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '50000' },
    pairs: { type: 'string', default: '7' },
    variants: { type: 'string', default: 'b,c,d,e' },
    'paced-seconds': { type: 'string', default: '20' },
    json: { type: 'string' },
  },
})
const flows = Number(values.flows)
const pairs = Number(values.pairs)
const others = values.variants.split(',').filter((letter): letter is Variant => letter in VARIANTS && letter !== 'a')
const runOnce = (variant: Variant): Promise<DrainResult> =>
  variant === 'd' ? embeddedDrain(flows) : drain(runSettings(variant), flows)

console.log(`chain: ${flows} flows, ${pairs} pairs, Node ${process.version}, load ${loadavg()[0]?.toFixed(2)}`)
const report: Record<string, unknown>[] = []
for (const variant of others) {
  const results: { raw: DrainResult; other: DrainResult }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const raw = await runOnce('a')
    const other = await runOnce(variant)
    results.push({ raw, other })
    console.log(
      `  ${variant} pair ${pair + 1}: raw ${raw.flowsPerSecond.toFixed(0)}/s, ${variant} ${other.flowsPerSecond.toFixed(0)}/s`,
    )
  }
  const ratios = results.map(({ raw, other }) => other.flowsPerSecond / raw.flowsPerSecond)
  const row = {
    variant,
    what: VARIANTS[variant],
    flowsPerSecond: median(results.map(({ other }) => other.flowsPerSecond)),
    rawFlowsPerSecond: median(results.map(({ raw }) => raw.flowsPerSecond)),
    ratio: median(ratios),
    ratioSpread: spread(ratios),
    cpuUsPerFlow: median(results.map(({ other }) => other.cpuUsPerFlow)),
    rawCpuUsPerFlow: median(results.map(({ raw }) => raw.cpuUsPerFlow)),
    peakRssMb: median(results.map(({ other }) => other.peakRssMb)),
  }
  report.push(row)
  console.log(
    `${variant} ${row.what}: ${row.flowsPerSecond.toFixed(0)} flows/s, ratio ${row.ratio.toFixed(2)} (${row.ratioSpread}), ` +
      `CPU ${row.cpuUsPerFlow.toFixed(0)} us/flow (raw ${row.rawCpuUsPerFlow.toFixed(0)}), RSS ${row.peakRssMb.toFixed(0)} MB`,
  )
}
const pacedSeconds = Number(values['paced-seconds'])
if (pacedSeconds > 0) {
  for (const variant of ['a', ...others.filter((letter) => letter !== 'd')] as const) {
    const latencies = (await pace(runSettings(variant), { perSecond: 50, seconds: pacedSeconds })).sort((x, y) => x - y)
    const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? NaN
    report.push({ variant, pacedFlows: latencies.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) })
    console.log(`${variant} paced at 50/s: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`)
  }
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ flows, pairs, report }, null, 2))
