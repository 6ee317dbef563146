/**
 * `npm run bench -- steps`: what a handling costs that records something, beside one that does not. One agent, everything on. Many at once
 * show the cost in time of the processor; one at a time shows how long one takes. Handlers of 25 and 35 ms differ by the claim.
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { runSettings } from './chain/addresses.ts'
import { drain } from './chain/run-worker.ts'
import { median, spread } from './chain/statistics.ts'
import type { Workload } from './chain/workload.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    alone: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
})

/** The first is what the others are compared with; the claim is compared with the case before it. */
const CASES: readonly { readonly name: string; readonly workload: Partial<Workload>; readonly base: number }[] = [
  { name: 'asynchronous, records nothing', workload: { does: 'turn' }, base: 0 },
  { name: 'synchronous, records nothing', workload: {}, base: 0 },
  { name: 'one step', workload: { does: 'step' }, base: 0 },
  { name: 'one durable step', workload: { does: 'durable step' }, base: 0 },
  { name: 'one effect', workload: { does: 'effect' }, base: 0 },
  { name: 'waits 25 ms, no claim', workload: { waitMs: 25 }, base: 5 },
  { name: 'waits 35 ms, claim', workload: { waitMs: 35 }, base: 5 },
]

const runs = CASES.map(() => ({ perSecond: [] as number[], cpuUs: [] as number[], aloneMs: [] as number[] }))
console.log(`steps: ${values.rounds} rounds, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(2)}`)
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [index, { name, workload }] of CASES.entries()) {
    const settings = runSettings('b', { stages: [0], ...workload })
    const many = await drain(settings, Number(values.events))
    const one = await drain(runSettings('b', { stages: [0], ...workload, maxInFlight: 1 }), Number(values.alone))
    const aloneMs = 1_000 / one.perSecond
    runs[index]?.perSecond.push(many.perSecond)
    runs[index]?.cpuUs.push(many.cpuUsPerFlow)
    runs[index]?.aloneMs.push(aloneMs)
    console.log(
      `  ${name}: ${many.perSecond.toFixed(0)}/s, ${many.cpuUsPerFlow.toFixed(0)} us of CPU, alone ${aloneMs.toFixed(1)} ms`,
    )
  }
}

const rows = CASES.map(({ name, base }, index) => {
  const { perSecond = [], cpuUs = [], aloneMs = [] } = runs[index] ?? {}
  // Of one round: neighbours in time.
  const ratio = median(perSecond.map((value, round) => value / (runs[base]?.perSecond[round] ?? NaN)))
  return {
    case: name,
    eventsPerSecond: Math.round(median(perSecond)),
    spread: spread(perSecond, 0),
    ratio: Number(ratio.toFixed(2)),
    cpuUsPerEvent: Math.round(median(cpuUs)),
    aloneMs: Number(median(aloneMs).toFixed(1)),
  }
})
console.table(rows)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ load: loadavg()[0], rows }, null, 2)}\n`)
