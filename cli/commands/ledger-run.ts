/** `laban ledger run`: the ledger as a process of its own; several share the work. */
import { defineCommand } from '../command.ts'

export const ledgerRun = defineCommand({
  name: 'ledger run',
  summary: 'Keep the queryable view of all flows until a signal stops it',
  description:
    'Reads the facts off the log into PostgreSQL (ledger.url) or an embedded database (ledger.dir), makes its tables there and keeps ' +
    'them up to date. Several instances share the partitions. It may be stopped at any time: nothing waits for it, and it goes on ' +
    'where it stopped. It announces itself as laban.ledger; health and metrics are served on http.host and http.port under /live, ' +
    '/ready and /metrics.',
  examples: [
    { command: 'laban ledger run', explains: 'On the local stack' },
    {
      command: 'laban ledger run --set ledger.url=postgres://laban@db.example.com/laban',
      explains: 'On another database',
    },
  ],
  async run(_args, _options, { load, output }) {
    const { createLogger, localStackValues, openKafka } = await import('../../runtime/internal.ts')
    const { createLedger } = await import('../../services/ledger/index.ts')
    const { runUntilStopped } = await import('../run-service.ts')
    const { readVersion } = await import('../version.ts')
    const { config } = await load(localStackValues())
    const log = createLogger(config.log)
    const stack = await openKafka({ config, log })
    let closeDatabase: (() => Promise<void>) | undefined
    try {
      return await runUntilStopped(
        async (onFatal) => {
          const { ledger, database } = await createLedger(stack, onFatal, { version: readVersion() })
          closeDatabase = () => database.close()
          return ledger
        },
        {
          config,
          log,
          serviceName: 'laban.ledger',
          onRunning: (_ledger, port) =>
            output.note(`ready: the ledger; health on http://${config.http.host}:${port}/ready`),
        },
      )
    } finally {
      await closeDatabase?.()
      await stack.close()
    }
  },
})
