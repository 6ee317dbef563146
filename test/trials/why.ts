/**
 * `npm run trial -- why [--only text] [--healthy n]`: faults are injected from outside into a shop on the real servers, and `laban why`
 * must name each within 5 s of its being true; flows that are well must never be called anything else. Prints a table and exits 1
 * where something did not hold. The figures of one run stand in docs/design/why.md.
 */
import { parseArgs } from 'node:util'
import { rootsOf, standsStill, type Diagnosis } from '../../tracing/index.ts'
import { codesIn, names } from './why/codes.ts'
import { DATA_FAULTS } from './why/data-faults.ts'
import { until, type Fault } from './why/fault.ts'
import { INSTANCE_FAULTS } from './why/instance-faults.ts'
import { PROCESS_FAULTS } from './why/process-faults.ts'
import { SERVER_FAULTS } from './why/server-faults.ts'
import { Shop, steadyMs } from './why/shop.ts'

const WITHIN_MS = 5_000
/** A fault that is never named is given up after so long. */
const PATIENCE_MS = 30_000
const ATONCE = 8

const { values } = parseArgs({ options: { only: { type: 'string' }, healthy: { type: 'string', default: '300' } } })
const faults = [...PROCESS_FAULTS, ...SERVER_FAULTS, ...INSTANCE_FAULTS, ...DATA_FAULTS].filter(
  ({ name }) => values.only === undefined || new RegExp(values.only).test(name),
)
const shop = await Shop.open()
let isBroken = false
try {
  await shop.start()
  await healthy(Number(values.healthy))
  line('fault', 'injected by', 'verdict', 'named after', 'said before')
  line('---', '---', '---', '---', '---')
  for (const fault of faults) await suffer(fault)
} finally {
  await shop.close()
}
process.exitCode = isBroken ? 1 : 0

async function suffer(fault: Fault): Promise<void> {
  try {
    // What the fault before has left behind is over first.
    await until(shop, await shop.place(), 'completed')
    const { id, trueAtMs } = await fault.inject(shop)
    const before = new Set<string>()
    let namedAfterMs: number | undefined
    while (namedAfterMs === undefined && steadyMs() - trueAtMs < PATIENCE_MS) {
      const diagnosis = await shop.look(id)
      if (names(diagnosis, fault.expects, fault.agent)) namedAfterMs = Math.max(0, steadyMs() - trueAtMs)
      else for (const code of wrongIn(diagnosis)) before.add(code)
    }
    const isLate = namedAfterMs === undefined || namedAfterMs > WITHIN_MS
    isBroken ||= isLate
    const after =
      namedAfterMs === undefined ? 'NEVER' : `${(namedAfterMs / 1_000).toFixed(1)} s${isLate ? ' LATE' : ''}`
    line(fault.name, fault.by, fault.expects.join(' or '), after, [...before].join(', '))
  } catch (error) {
    isBroken = true
    line(fault.name, fault.by, fault.expects.join(' or '), 'BROKEN', String(error).replace(/\s+/g, ' ').slice(0, 300))
  } finally {
    await fault.heal?.(shop)
  }
}

/** What was said of something that stands, and was not it. */
function wrongIn(diagnosis: Diagnosis): readonly string[] {
  return rootsOf(diagnosis.verdict).some(standsStill)
    ? [rootsOf(diagnosis.verdict)[0]?.code ?? '']
    : codesIn(diagnosis).slice(0, 1)
}

/** Places orders and asks about each of them while they are under way and when they have ended. */
async function healthy(count: number): Promise<void> {
  const asked = { during: 0, after: 0 }
  const alarms: string[] = []
  const ids: string[] = []
  const look = async (id: string, when: keyof typeof asked): Promise<void> => {
    const diagnosis = await shop.look(id)
    asked[when]++
    const stands = rootsOf(diagnosis.verdict).filter(standsStill)
    if (stands.length > 0) alarms.push(`${when} ${id}: ${stands[0]?.code ?? ''}: ${stands[0]?.sentence ?? ''}`)
  }
  const looking: Promise<void>[] = []
  for (let number = 0; number < count; number++) {
    const id = await shop.place()
    ids.push(id)
    looking.push(look(id, 'during'))
    if (looking.length % ATONCE === 0) await Promise.all(looking)
  }
  await Promise.all(looking)
  for (let at = 0; at < ids.length; at += ATONCE)
    await Promise.all(ids.slice(at, at + ATONCE).map((id) => look(id, 'after')))
  isBroken ||= alarms.length > 0
  process.stdout.write(
    `healthy flows: ${count}; asked ${asked.during} times while under way and ${asked.after} times after; ${alarms.length} false alarms\n`,
  )
  for (const alarm of alarms.slice(0, 10)) process.stdout.write(`  ${alarm}\n`)
}

function line(...cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}
