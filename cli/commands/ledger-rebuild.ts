/** `laban ledger rebuild`: empties the ledger and reads the log again. */
import { defineCommand } from '../command.ts'

const PROGRESS_MS = 1_000

export const ledgerRebuild = defineCommand({
  name: 'ledger rebuild',
  summary: 'Empty the ledger and read the log again',
  description:
    'The log is the truth, so what comes out is what was there, as far back as the log goes. Instances that run take part; flows can ' +
    'be read all the while, from the log where the ledger is not there yet. The archive of bodies stays as it is. Refused when the ledger reaches further back than the ' +
    'log: --force gives up what only the ledger has.',
  options: {
    dryRun: { kind: 'flag', summary: 'Only say what would be done' },
    force: { kind: 'flag', summary: 'Also when the log has forgotten facts that the ledger has' },
  },
  examples: [
    { command: 'laban ledger rebuild --dry-run', explains: 'How much there is to read, and what would be lost' },
    { command: 'laban ledger rebuild', explains: 'Returns when the ledger has caught up with the log' },
  ],
  async run(_args, options, context) {
    const { openLedgerCommand } = await import('../ledger/open-ledger-command.ts')
    const { delay, LabanError } = await import('../../runtime/internal.ts')
    const { createLedger, emptyTables, ledgerStatus } = await import('../../services/ledger/index.ts')
    const { output } = context
    await openLedgerCommand(context, async ({ stack, database, tables }) => {
      const sources = { database, tables, broker: stack.broker, clock: stack.clock }
      const before = await ledgerStatus(sources)
      const toRead = before.partitions.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)
      output.line(`the ledger has ${before.facts} facts of ${before.flows} flows; the log has ${toRead} facts`)
      if (before.beyondLog > 0) output.line(`${before.beyondLog} facts are on the log no more and would be gone`)
      if (options.dryRun) return
      if (before.beyondLog > 0 && !options.force) {
        throw new LabanError('LABAN_USAGE', {
          problem: `${before.beyondLog} facts are only in the ledger; give --force to lose them`,
        })
      }
      await emptyTables(database, tables)
      let failure: unknown
      const { ledger, database: own } = await createLedger(stack, (error) => (failure ??= error))
      try {
        await ledger.start()
        for (;;) {
          const { partitions, flows } = await ledgerStatus(sources)
          if (failure !== undefined) throw failure as Error
          const lag = partitions.reduce((sum, part) => sum + part.lagFacts + part.underivedFacts, 0)
          if (lag === 0 && partitions.every(({ nextOffset, endOffset }) => nextOffset !== null || endOffset === 0)) {
            output.line(`rebuilt: ${flows} flows`)
            return
          }
          output.note(`${lag} facts to go`)
          await delay(stack.clock, PROGRESS_MS)
        }
      } finally {
        await ledger.stop()
        await own.close()
      }
    })
  },
})
