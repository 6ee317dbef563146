/** A program that relays an outbox until it is ended, or until it dies between the broker's acknowledgement and its mark. */
import pg from 'pg'
import { createPublisher } from 'laban'
import { createOutbox } from 'laban/outbox'

const { BOOKER_URL: connectionString, BOOKER_SCHEMA: schema = '' } = process.env
const dies = process.argv[2] === 'dies'

const pool = new pg.Pool({ connectionString, max: 2 })
const publisher = await createPublisher({ source: 'trial.program', on: 'kafka' })
const relay = createOutbox({ pool, schema }).relay({
  pollMs: 20,
  publisher: {
    publishAll: async (events) => {
      await publisher.publishAll(events)
      if (dies) process.kill(process.pid, 'SIGKILL')
    },
  },
})
process.once('SIGTERM', () => {
  void relay
    .stop()
    .then(() => publisher.close())
    .then(() => pool.end())
})
