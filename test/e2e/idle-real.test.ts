/** An agent that has nothing to do costs next to nothing: CPU time of a whole `laban run` process, whatever else the machine does. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Deployment } from '../harness/processes.ts'
import { waitFor } from '../harness/wait.ts'
import { TRIAL_CONTRACTS } from './agents/trial.ts'

const NOTER = join(import.meta.dirname, 'agents', 'noter')
const WARM_UP_MS = 4_000
const WATCHED_MS = 8_000
/** Linux counts in hundredths of a second (sysconf CLK_TCK). */
const TICK_MS = 10

let deployment: Deployment

beforeAll(async () => {
  deployment = await Deployment.make('idle', { agents: [NOTER], contractsDir: TRIAL_CONTRACTS })
})
afterAll(async () => {
  await deployment.stop()
})

it('uses less than 4 % of a core while idle', async () => {
  const { pid, ready } = deployment.start([NOTER])
  await ready
  await pass(WARM_UP_MS)
  const before = cpuMs(pid)
  await pass(WATCHED_MS)
  const share = (cpuMs(pid) - before) / WATCHED_MS
  console.info(`idle: ${(share * 100).toFixed(1)} % of a core`)
  expect(share).toBeLessThan(0.04)
})

/** What is measured is time itself. */
function pass(ms: number): Promise<unknown> {
  const startedMs = performance.now()
  return waitFor(() => performance.now() - startedMs > ms, { timeoutMs: ms + 5_000, what: `${ms} ms` })
}

/** User and system time of a process so far: fields 14 and 15 of its stat, counted after the name in brackets. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
