/**
 * `npm run bench -- scale`: one agent in 1, 2 and 4 processes, on 1, 6 and 24 partitions, and what an event costs as its topic grows
 * and as keys get many. Processes that compute share the cores of the machine, so they are measured twice: with handlers that do
 * nothing, and with handlers that wait, whose rate is bounded by the agent and not by the processor.
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
    parts: { type: 'string', default: 'processes,waiting,partitions,size,keys' },
    events: { type: 'string', default: '100000' },
    'waiting-events': { type: 'string', default: '20000' },
    processes: { type: 'string', default: '1,2,4' },
    partitions: { type: 'string', default: '1,6,24' },
    sizes: { type: 'string', default: '10000,100000,1000000' },
    keys: { type: 'string', default: '1000,1000000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
})

/** Enough for the largest number of processes to have the same share each. */
const SHARED_PARTITIONS = 24
const MAX_OPEN = 20_000
const WAIT_MS = 100
/** With 100 ms a handler, an agent of one process handles 1,000 events a second: far from what a core can do. */
const WAITING_HANDLERS = 100

/** One case of a table; the first of a table is what the others are compared with. */
interface Case {
  readonly name: string
  readonly events: number
  readonly processes: number
  readonly workload: Partial<Workload>
}

interface Row {
  readonly case: string
  readonly events: number
  readonly eventsPerSecond: number
  readonly spread: string
  readonly ratio: number
  readonly cpuUsPerEvent: number
  readonly cpuRatio: number
  readonly peakRssMb: number
  readonly load: number
}

const numbers = (text: string): number[] => text.split(',').map(Number)
const events = Number(values.events)

function casesOf(part: string): readonly Case[] {
  const one = { events, processes: 1, workload: {} }
  const shared = { partitions: SHARED_PARTITIONS }
  const waiting = { ...shared, waitMs: WAIT_MS, maxInFlight: WAITING_HANDLERS }
  switch (part) {
    case 'processes':
      return numbers(values.processes).map((processes) => {
        return { ...one, name: `${processes} processes`, processes, workload: shared }
      })
    case 'waiting':
      return numbers(values.processes).map((processes) => {
        return {
          name: `${processes} processes, waiting`,
          events: Number(values['waiting-events']),
          processes,
          workload: waiting,
        }
      })
    case 'partitions':
      return numbers(values.partitions).map((partitions) => {
        return { ...one, name: `${partitions} partitions`, workload: { partitions } }
      })
    case 'size':
      return numbers(values.sizes).map((size) => ({ ...one, name: `topic of ${size}`, events: size }))
    case 'keys': {
      const most = Math.max(...numbers(values.keys))
      return numbers(values.keys).map((keys) => ({ ...one, name: `${keys} keys`, events: most, workload: { keys } }))
    }
    default:
      throw new Error(`unknown part ${part}: processes, waiting, partitions, size, keys`)
  }
}

/** Cases of a table take turns, so that a busy minute of the machine falls on all of them. */
async function measure(cases: readonly Case[]): Promise<readonly Row[]> {
  const runs = cases.map(() => ({ rates: [] as number[], cpuUs: [] as number[], rssMb: [] as number[] }))
  let load = 0
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [index, { name, events: count, processes, workload }] of cases.entries()) {
      const settings = runSettings('b', { stages: [0], maxOpen: MAX_OPEN, ...workload })
      const result = await drain(settings, count, { processes })
      runs[index]?.rates.push(result.perSecond)
      runs[index]?.cpuUs.push(result.cpuUsPerFlow)
      runs[index]?.rssMb.push(result.peakRssMb)
      load = Math.max(load, loadavg()[0] ?? 0)
      console.log(`  ${name}: ${result.perSecond.toFixed(0)}/s, ${result.cpuUsPerFlow.toFixed(0)} us of CPU per event`)
    }
  }
  const [first] = runs
  return cases.map(({ name, events: count }, index) => {
    const { rates = [], cpuUs = [], rssMb = [] } = runs[index] ?? {}
    // Ratios of one round are of neighbours in time.
    const ratioTo = (own: readonly number[], base: readonly number[] = []): number =>
      Number(median(own.map((value, round) => value / (base[round] ?? NaN))).toFixed(2))
    return {
      case: name,
      events: count,
      eventsPerSecond: Math.round(median(rates)),
      spread: spread(rates, 0),
      ratio: ratioTo(rates, first?.rates),
      cpuUsPerEvent: Math.round(median(cpuUs)),
      cpuRatio: ratioTo(cpuUs, first?.cpuUs),
      peakRssMb: Math.round(Math.max(...rssMb)),
      load: Number(load.toFixed(1)),
    }
  })
}

console.log(`scale: ${values.rounds} rounds, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(2)}`)
const tables: Record<string, readonly Row[]> = {}
for (const part of values.parts.split(',')) {
  console.log(part)
  const rows = await measure(casesOf(part))
  tables[part] = rows
  console.table(rows)
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ cores: availableParallelism(), tables }, null, 2)}\n`)
}
