/** The outbox on a real PostgreSQL: what is kept, who waits for whom, and what the relay does with rows that cannot be published. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { LabanError } from '../../../contracts/errors.ts'
import type { HandlerContext } from '../../../runtime/context.ts'
import { createOutbox, type Outbox, type Relay, type RelayedEvent } from '../../../runtime/outbox/index.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'

const schema = uniqueName('outbox')
const TOPIC = 'credit.application-received' as never
const WAIT = { timeoutMs: 20_000 }
let pool: pg.Pool
let outbox: Outbox<pg.PoolClient>
const relays: Relay[] = []

beforeAll(async () => {
  pool = new pg.Pool({ connectionString: await stackAddress('postgresUrl'), max: 12 })
  outbox = createOutbox({ pool, schema })
})

afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()))
})

afterAll(async () => {
  await pool.query(`DROP SCHEMA "${schema}" CASCADE`)
  await pool.end()
})

/** The circumstances of one attempt, and what it published. */
function attempt(eventId: string): {
  context: HandlerContext
  published: { topic: string; value: unknown; options: unknown }[]
} {
  const published: { topic: string; value: unknown; options: unknown }[] = []
  const context = {
    agent: 'test.booker',
    eventId,
    log: silentLogger,
    publish: (topic: string, value: unknown, options: unknown = {}) => {
      published.push({ topic, value, options })
      return randomUUID()
    },
  } as unknown as HandlerContext
  return { context, published }
}

async function bookings(what: string): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM "${schema}".bookings WHERE what = $1`, [
    what,
  ])
  return Number(rows[0]?.count)
}

function relay(publishAll: (events: readonly RelayedEvent[]) => Promise<unknown>): Relay {
  const started = outbox.relay({ publisher: { publishAll }, pollMs: 5 })
  relays.push(started)
  return started
}

async function inTransaction(work: (db: pg.PoolClient) => Promise<unknown>): Promise<void> {
  const db = await pool.connect()
  try {
    await db.query('BEGIN')
    await work(db)
    await db.query('COMMIT')
  } finally {
    db.release(true)
  }
}

async function unsent(): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM "${schema}".outbox WHERE sent_at IS NULL`)
  return Number(rows[0]?.count)
}

describe('before it is there', () => {
  it('says so, and what to do; and is created once by any number at once', async () => {
    const { context } = attempt(randomUUID())
    const handle = outbox.handler(() => undefined)
    await expect(handle(undefined, context)).rejects.toMatchObject({ code: 'LABAN_OUTBOX_MISSING' })
    await expect(inTransaction((db) => outbox.publish(db, TOPIC, {} as never))).rejects.toMatchObject({
      code: 'LABAN_OUTBOX_MISSING',
    })
    await Promise.all(Array.from({ length: 5 }, () => outbox.migrate()))
    await pool.query(`CREATE TABLE "${schema}".bookings (what text)`)
  })
})

describe('a handler in a transaction', () => {
  it('keeps what it did and what it published, and says the same when it is run again', async () => {
    const eventId = randomUUID()
    let runs = 0
    const handle = outbox.handler(async (_event: unknown, { db, publish }) => {
      runs++
      await db.query(`INSERT INTO "${schema}".bookings VALUES ('kept')`)
      publish(TOPIC, { at: new Date(0), amount: 10n ** 20n, bytes: Buffer.from([1, 2]), drawn: randomUUID() } as never)
      publish(TOPIC, { second: true } as never, { name: 'second', key: 'k' })
    })
    const [first, second] = [attempt(eventId), attempt(eventId)]
    await handle(undefined, first.context)
    await handle(undefined, second.context)
    expect(runs).toBe(1)
    expect(await bookings('kept')).toBe(1)
    expect(second.published).toEqual(first.published)
    expect(first.published).toHaveLength(2)
  })

  it('leaves nothing behind when it fails', async () => {
    const eventId = randomUUID()
    let fails = true
    const handle = outbox.handler(async (_event: unknown, { db }) => {
      await db.query(`INSERT INTO "${schema}".bookings VALUES ('failed')`)
      if (fails) throw new RangeError('no')
    })
    await expect(handle(undefined, attempt(eventId).context)).rejects.toThrow('no')
    expect(await bookings('failed')).toBe(0)
    fails = false
    await handle(undefined, attempt(eventId).context)
    expect(await bookings('failed')).toBe(1)
  })

  it('fails when a statement of it has failed, even if the handler did not care', async () => {
    const handle = outbox.handler(async (_event: unknown, { db }) => {
      await db.query(`INSERT INTO "${schema}".bookings VALUES ('half')`)
      await db.query('SELECT 1/0').catch(() => undefined)
    })
    await expect(handle(undefined, attempt(randomUUID()).context)).rejects.toThrow('aborted')
    expect(await bookings('half')).toBe(0)
  })

  it('waits for another run of the same event, and does not repeat it', async () => {
    const eventId = randomUUID()
    const entered = Promise.withResolvers<undefined>()
    const gate = Promise.withResolvers<undefined>()
    const handle = outbox.handler(async (_event: unknown, { db, publish }) => {
      await db.query(`INSERT INTO "${schema}".bookings VALUES ('raced')`)
      publish(TOPIC, { drawn: randomUUID() } as never)
      entered.resolve(undefined)
      await gate.promise
    })
    const [one, two] = [attempt(eventId), attempt(eventId)]
    const first = handle(undefined, one.context)
    await entered.promise
    const second = handle(undefined, two.context)
    await waitFor(
      async () => {
        const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${schema}%handled%'`
        return (await pool.query(waiting)).rowCount === 1
      },
      { ...WAIT, what: 'the second run to wait for the first' },
    )
    gate.resolve(undefined)
    await Promise.all([first, second])
    expect(await bookings('raced')).toBe(1)
    expect(two.published).toEqual(one.published)
  })

  it('does not wait for ever for a run that stands still', async () => {
    const eventId = randomUUID()
    const hasty = createOutbox({ pool, schema, lockTimeoutMs: 50 })
    const gate = Promise.withResolvers<undefined>()
    const entered = Promise.withResolvers<undefined>()
    const stuck = outbox.handler(async () => {
      entered.resolve(undefined)
      await gate.promise
    })(undefined, attempt(eventId).context)
    await entered.promise
    await expect(hasty.handler(() => undefined)(undefined, attempt(eventId).context)).rejects.toMatchObject({
      code: '55P03',
    })
    gate.resolve(undefined)
    await stuck
  })

  it('refuses to publish what cannot be kept', async () => {
    const handle = outbox.handler((_event: unknown, { publish }) => {
      publish(TOPIC, { call: () => 1 } as never)
    })
    await expect(handle(undefined, attempt(randomUUID()).context)).rejects.toMatchObject({ code: 'LABAN_OUTBOX_VALUE' })
  })

  it('is forgotten by prune, which tells how many were', async () => {
    expect(await outbox.prune(60_000)).toBe(0)
    expect(await outbox.prune(-60_000)).toBeGreaterThan(0)
  })
})

describe('the relay', () => {
  it('publishes in order what was committed, with the ids that were promised, and marks it', async () => {
    const seen: RelayedEvent[] = []
    const ids: string[] = []
    for (let number = 0; number < 5; number++)
      await inTransaction(async (db) => ids.push(await outbox.publish(db, TOPIC, { number } as never, { key: 'k' })))
    relay(async (events) => void seen.push(...events))
    await waitFor(async () => (await unsent()) === 0, { ...WAIT, what: 'all to be marked' })
    expect(seen.map(({ eventId }) => eventId)).toEqual(ids)
    expect(seen[3]).toEqual({ eventId: ids[3], topic: TOPIC, value: { number: 3 }, key: 'k' })
  })

  it('does not pass over a transaction that began earlier and is committed later', async () => {
    const seen: string[] = []
    relay(async (events) => void seen.push(...events.map(({ eventId }) => eventId)))
    const early = await pool.connect()
    await early.query('BEGIN')
    const first = await outbox.publish(early, TOPIC, {} as never)
    await inTransaction((db) => outbox.publish(db, TOPIC, {} as never))
    await waitFor(() => seen.length === 1, { ...WAIT, what: 'the later one' })
    await early.query('COMMIT')
    early.release()
    await waitFor(() => seen.length === 2, { ...WAIT, what: 'the earlier one' })
    expect(seen[1]).toBe(first)
  })

  it('publishes an id once, however often it is given', async () => {
    const publish = (): Promise<void> =>
      inTransaction((db) => outbox.publish(db, TOPIC, {} as never, { id: 'order-1' }))
    await publish()
    await publish()
    expect(await unsent()).toBe(1)
  })

  it('tries again while the broker is away, and publishes the same', async () => {
    const tries: string[][] = []
    relay(async (events) => {
      tries.push(events.map(({ eventId }) => eventId))
      if (tries.length === 1) throw new LabanError('LABAN_BROKER_UNAVAILABLE', { brokers: 'b:1', problem: 'away' })
    })
    await waitFor(async () => (await unsent()) === 0, { ...WAIT, what: 'the second try' })
    expect(tries[1]).toEqual(tries[0])
  })

  it('puts an event aside that no broker would take, and goes on with the others', async () => {
    const seen: unknown[] = []
    for (const number of [1, 2, 3]) await inTransaction((db) => outbox.publish(db, TOPIC, { number } as never))
    relay(async (events) => {
      const values = events.map(({ value }) => (value as { number: number }).number)
      if (values.includes(2)) throw new LabanError('LABAN_CONTRACT_VALIDATION', { topic: 't', problem: 'two' })
      seen.push(...values)
    })
    await waitFor(() => seen.length === 2, { ...WAIT, what: 'the others' })
    expect(seen).toEqual([1, 3])
    const { rows } = await pool.query<{ problem: string }>(
      `SELECT problem FROM "${schema}".outbox WHERE problem IS NOT NULL`,
    )
    expect(rows).toHaveLength(1)
    await pool.query(`DELETE FROM "${schema}".outbox WHERE problem IS NOT NULL`)
  })

  it('works alone; another takes over when it ends', async () => {
    const seen: string[] = []
    const [one] = ['one', 'two'].map((name) => relay(async (events) => void events.forEach(() => seen.push(name))))
    await inTransaction((db) => outbox.publish(db, TOPIC, {} as never))
    await waitFor(() => seen.length === 1, { ...WAIT, what: 'one of them to publish' })
    const [active] = seen
    if (active === 'one') await one?.stop()
    else await relays[1]?.stop()
    await inTransaction((db) => outbox.publish(db, TOPIC, {} as never))
    await waitFor(() => seen.length === 2, { ...WAIT, what: 'the other to take over' })
    expect(seen[1]).not.toBe(active)
  })
})
