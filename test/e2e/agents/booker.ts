/** Books every event in PostgreSQL and says so, in one transaction. Its process may die before or after the commit. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { createOutbox, type SqlClient, type SqlPool } from 'laban/outbox'
import { trialAgent, type TrialContext, type TrialEvent } from './trial-agent.ts'

/** Set by the test: where the tables are, which agent this is, and when its process dies. */
const { BOOKER_URL: connectionString, BOOKER_SCHEMA: schema = '', BOOKER_NAME: name = 'trial.booker' } = process.env
const death = process.env['BOOKER_DEATH']

/** Connections of a process that dies at a commit. */
function mortal(pool: pg.Pool): SqlPool {
  return {
    connect: async () => {
      const client = await pool.connect()
      const query = async (text: string, values?: unknown[]): ReturnType<SqlClient['query']> => {
        if (text === 'COMMIT' && death === 'before-commit') process.kill(process.pid, 'SIGKILL')
        const answer = await client.query(text, values)
        if (text === 'COMMIT' && death === 'after-commit') process.kill(process.pid, 'SIGKILL')
        return answer
      }
      return { query, release: (error) => client.release(error) }
    },
  }
}

const outbox = createOutbox({ pool: mortal(new pg.Pool({ connectionString, max: 4 })), schema })

export default trialAgent({
  name,
  consumes: 'trial.begun',
  produces: ['trial.ended'],
  handle: outbox.handler(async (event, context) => {
    const { number, lane = '' } = event as TrialEvent
    const nonce = randomUUID()
    const insert = `INSERT INTO "${schema}".bookings (agent, number, nonce) VALUES ($1, $2, $3)`
    await context.db.query(insert, [name, number, nonce])
    const { publish } = context as unknown as TrialContext
    publish('trial.ended', { number, lane, nonce })
  }) as (event: unknown, context: TrialContext) => Promise<void>,
})
