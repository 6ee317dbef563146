/**
 * An event that kills its process, on real servers with real processes: three die of it, the fourth puts it aside; what lies beside and
 * behind it goes on. TRIAL_DEATH says how they die: `exit` (in CI), `loop` or `memory`.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { OutgoingRecord } from '../../runtime/ports/broker.ts'
import { readValues } from '../../runtime/internal.ts'
import { Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { waitFor } from '../harness/wait.ts'
import type { Said } from './agents/trial-agent.ts'
import { TRIAL_CONTRACTS } from './agents/trial.ts'

const FATAL = join(import.meta.dirname, 'agents', 'fatal.ts')
const DEATH = process.env['TRIAL_DEATH'] ?? 'exit'
const TIMEOUT_MS = 180_000
const SESSION_MS = '3000'

let deployment: Deployment
let log: OpenLog
let processes: readonly AgentProcess[]

beforeAll(async () => {
  deployment = await Deployment.make('quarantine', {
    agents: [FATAL],
    contractsDir: TRIAL_CONTRACTS,
    env: {
      LABAN_LEASE_MS: SESSION_MS,
      LABAN_KAFKA_SESSION_TIMEOUT_MS: SESSION_MS,
      LABAN_KAFKA_HEARTBEAT_INTERVAL_MS: '500',
      TRIAL_DEATH: DEATH,
      ...(DEATH === 'memory' ? { NODE_OPTIONS: '--max-old-space-size=192' } : {}),
    },
  })
  log = await deployment.open()
  processes = Array.from({ length: 4 }, () => deployment.start([FATAL]))
  await Promise.all(processes.map(({ ready }) => ready))
}, TIMEOUT_MS)
afterAll(async () => {
  // A process in an endless loop hears no other signal.
  await Promise.all(processes.map((one) => one.end('SIGKILL')))
  await deployment.stop()
  await log.close()
}, TIMEOUT_MS)

function begun(number: number, lane: string): OutgoingRecord {
  return { topic: 'trial.begun', key: lane, value: log.codec.encode('trial.begun', { number, lane }), headers: {} }
}

async function noted(): Promise<readonly string[]> {
  const said: string[] = []
  for await (const { value } of readValues(log, 'trial.noted'))
    said.push(`${(value as Said).lane}${(value as Said).number}`)
  return said
}

/** Processes that have said that they die. */
function dead(): number {
  return processes.filter(({ running }) => running.stderr().includes('dies of')).length
}

it('is put aside after three deaths, and redriven once its handler is mended', { timeout: TIMEOUT_MS }, async () => {
  const producer = await log.broker.producer()
  const others = Array.from({ length: 20 }, (_, index) => begun(index + 100, `other-${index}`))
  await producer.send([begun(1, 'k'), begun(13, 'k'), begun(2, 'k'), ...others]).finally(() => producer.close())
  const letters = async (): Promise<
    readonly { code: string; letters: readonly { eventId: string; attempts: number }[] }[]
  > => {
    const { stdout } = await deployment.laban(['dlq', 'list', '--json'])
    return JSON.parse(stdout) as Awaited<ReturnType<typeof letters>>
  }
  const [group] = await waitFor(
    async () => {
      if (dead() < 3) return undefined
      const found = await letters()
      return found.length > 0 ? found : undefined
    },
    { timeoutMs: 120_000, what: 'the dead letter' },
  )
  expect(group).toMatchObject({ code: 'LABAN_RECORD_QUARANTINED', letters: [{ attempts: 3 }] })
  expect(dead()).toBe(3)
  await waitFor(async () => new Set(await noted()).size === 21, { timeoutMs: 20_000, what: 'all others' })
  expect(await noted()).not.toContain('k2')

  const eventId = group?.letters[0]?.eventId ?? ''
  expect((await deployment.laban(['dlq', 'show', eventId])).stdout).toContain('died of it')
  for (const one of processes) await one.end('SIGKILL')
  await deployment.start([FATAL], { TRIAL_MENDED: 'true' }).ready
  expect(await deployment.laban(['dlq', 'redrive', eventId])).toMatchObject({ code: 0 })
  await waitFor(async () => (await noted()).includes('k2'), { timeoutMs: 20_000, what: 'its successor' })
  const inOrder = (await noted()).filter((text) => text.startsWith('k'))
  expect([...new Set(inOrder)]).toEqual(['k1', 'k13', 'k2'])
})
