/**
 * `npm run trial -- bad-days [--only name] [--seed n]`: each bad day befalls two processes that are at work, on servers of its own.
 * Prints what was seen of it and exits 1 where something did not hold. The figures of one run stand in docs/design/bad-days.md.
 */
import { parseArgs } from 'node:util'
import { realServers } from '../harness/processes.ts'
import { randomStream } from '../../runtime/testing/simulation/random.ts'
import type { DayReport, SpendDay } from './bad-days/day.ts'
import { SERVER_DAYS } from './bad-days/days.ts'
import { LOGIN_DAYS } from './bad-days/login-days.ts'
import { MACHINE_DAYS } from './bad-days/machine-days.ts'

const DAYS: Readonly<Record<string, SpendDay>> = { ...SERVER_DAYS, ...MACHINE_DAYS, ...LOGIN_DAYS }
const { values } = parseArgs({ options: { only: { type: 'string' }, seed: { type: 'string', default: '1' } } })
const names = values.only === undefined ? Object.keys(DAYS) : values.only.split(',')

// Without the stack no day gets far, and what it had started by then would stay.
await realServers()

let isBroken = false
for (const name of names) {
  const day = DAYS[name]
  if (day === undefined) throw new RangeError(`no bad day is called ${name}; there are ${Object.keys(DAYS).join(', ')}`)
  try {
    tell(name, await day(randomStream(Number(values.seed), name).next))
  } catch (error) {
    isBroken = true
    process.stdout.write(`${name}: ${String(error)}\n`)
  }
}
process.exitCode = isBroken ? 1 : 0

function tell(name: string, report: DayReport): void {
  const s = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
  const unready = report.notReadyAfterMs === undefined ? 'always ready' : `not ready after ${s(report.notReadyAfterMs)}`
  const { events, reruns, copies, violations } = report
  process.stdout.write(
    `${name}: ${violations.length === 0 ? 'ok' : 'BROKEN'}; lasted ${s(report.lastedMs)}; ${unready}, ready again ` +
      `${s(report.readyMs)} and at work ${s(report.resumedMs)} after its end; ${events} events, ${reruns} reruns, ${copies} copies\n`,
  )
  for (const each of report.notes) process.stdout.write(`  note: ${each}\n`)
  for (const each of violations.slice(0, 5)) process.stdout.write(`  violation: ${each}\n`)
  for (const each of report.problems) process.stdout.write(`  /ready: ${each}\n`)
  for (const each of report.said.slice(0, 12)) process.stdout.write(`  log: ${each.slice(0, 300)}\n`)
  isBroken ||= violations.length > 0
}
