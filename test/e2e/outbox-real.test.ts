/** Agents and a program that own a database, killed around their commits, on the real servers: booked once, said once, the same in both. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOutbox } from '../../runtime/outbox/index.ts'
import { Deployment, type OpenLog } from '../harness/processes.ts'
import { readTopic } from '../harness/read-topic.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { waitFor } from '../harness/wait.ts'
import { TRIAL_CONTRACTS } from './agents/trial.ts'

const BOOKER = join(import.meta.dirname, 'agents', 'booker.ts')
const RELAY = join(import.meta.dirname, 'agents', 'relay-process.ts')
const DEATHS = ['before-commit', 'after-commit'] as const
const PATIENCE_MS = 60_000

const nameOf = (death: string): string => `trial.booker-${death}`

let pool: pg.Pool
let deployment: Deployment
let log: OpenLog
let schema: string
const children: ChildProcess[] = []

beforeAll(async () => {
  const connectionString = await stackAddress('postgresUrl')
  pool = new pg.Pool({ connectionString, max: 4 })
  deployment = await Deployment.plan('outbox', {
    contractsDir: TRIAL_CONTRACTS,
    env: { LABAN_LEASE_MS: '6000', LABAN_KAFKA_SESSION_TIMEOUT_MS: '6000', BOOKER_URL: connectionString },
  })
  schema = deployment.namespace
  await createOutbox({ pool, schema }).migrate()
  await pool.query(`CREATE TABLE "${schema}".bookings (agent text, number int, nonce text)`)
  const made = await Promise.all([
    deployment.laban(['contracts', 'push']),
    ...DEATHS.map((death) => deployment.laban(['topics', 'apply', BOOKER], { env: bookerEnv(death) })),
  ])
  for (const { code, stderr } of made) expect(code, stderr).toBe(0)
  log = await deployment.open()
}, 120_000)

afterAll(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
  await deployment.stop()
  await log.close()
  await pool.query(`DROP SCHEMA "${schema}" CASCADE`)
  await pool.end()
}, 60_000)

function bookerEnv(death: string): Record<string, string> {
  return { BOOKER_SCHEMA: schema, BOOKER_NAME: nameOf(death) }
}

function startRelay(...args: readonly string[]): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LABAN_'))
  const child = spawn(process.execPath, ['--conditions=laban-source', RELAY, ...args], {
    env: { ...Object.fromEntries(inherited), ...deployment.env, BOOKER_SCHEMA: schema },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  return child
}

/** Resolves when the process was killed. */
async function death(child: ChildProcess): Promise<void> {
  await waitFor(() => child.signalCode === 'SIGKILL', { timeoutMs: PATIENCE_MS, what: 'the process to die' })
}

/** Publishes one event in a transaction of its own, next to one that is rolled back. */
async function begin(number: number): Promise<void> {
  const outbox = createOutbox({ pool, schema })
  for (const end of ['ROLLBACK', 'COMMIT']) {
    const db = await pool.connect()
    await db.query('BEGIN')
    await outbox.publish(db, 'trial.begun' as never, { number, lane: end } as never, { id: `${end}-${number}` })
    await db.query(end)
    db.release()
  }
}

interface Booking {
  readonly agent: string
  readonly nonce: string
}

describe('an outbox in PostgreSQL, with processes killed around their commits', { timeout: 120_000 }, () => {
  it('publishes what was committed and nothing else, though the relay dies before it has marked it', async () => {
    await begin(0)
    await death(startRelay('dies'))
    startRelay()
    const copies = await waitFor(
      async () => {
        const records = await readTopic(log.broker, 'trial.begun')
        return records.length >= 2 ? records : undefined
      },
      { timeoutMs: PATIENCE_MS, what: 'the second relay to publish again' },
    )
    expect(new Set(copies.map(({ headers }) => String(headers['ce_id']))).size).toBe(1)
    expect(new Set(copies.map(({ value }) => value?.toString('latin1'))).size).toBe(1)
  })

  it('books once and says what it booked, when its process dies before and after the commit', async () => {
    const victims = DEATHS.map((when) => deployment.start([BOOKER], { ...bookerEnv(when), BOOKER_DEATH: when }))
    await Promise.all(victims.map(async ({ running }) => death(running.child)))
    const { rows: atDeath } = await pool.query<Booking>(`SELECT agent, nonce FROM "${schema}".bookings`)
    expect(atDeath.map(({ agent }) => agent)).toEqual([nameOf('after-commit')])
    for (const when of DEATHS) deployment.start([BOOKER], bookerEnv(when))
    const said = await waitFor(
      async () => {
        const records = await readTopic(log.broker, 'trial.ended')
        return DEATHS.every((when) => records.some(({ headers }) => String(headers['ce_source']) === nameOf(when)))
          ? records
          : undefined
      },
      { timeoutMs: PATIENCE_MS, what: 'both bookers to have said what they booked' },
    )
    const { rows: booked } = await pool.query<Booking>(`SELECT agent, nonce FROM "${schema}".bookings ORDER BY agent`)
    const heard = said.map(({ headers, value, topic, partition, offset }) => {
      const decoded = log.codec.decode(topic, value, { partition, offset })
      const nonce = 'value' in decoded ? (decoded.value as { readonly nonce: string }).nonce : ''
      return { agent: String(headers['ce_source']), nonce }
    })
    expect(heard.sort((a, b) => (a.agent < b.agent ? -1 : 1))).toEqual(booked)
    expect(booked.map(({ agent }) => agent)).toEqual([nameOf('after-commit'), nameOf('before-commit')])
    expect(booked).toEqual(expect.arrayContaining([...atDeath]))
  })
})
