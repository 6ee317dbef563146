/** `laban ledger status`: how far the ledger is behind the log, what it holds and what that takes. */
import { defineCommand } from '../command.ts'

const MEGABYTE = 1_048_576

export const ledgerStatus = defineCommand({
  name: 'ledger status',
  summary: 'Show how far the ledger is behind the log, and what it holds',
  description:
    'Exits with 69 when facts have been waiting for more than ten seconds: then no instance runs, or it cannot keep up.',
  options: { json: { kind: 'flag', summary: 'As JSON' } },
  examples: [{ command: 'laban ledger status', explains: 'One line per partition of the log' }],
  async run(_args, options, context) {
    const { openLedgerCommand } = await import('../ledger/open-ledger-command.ts')
    const { ledgerStatus: statusOf } = await import('../../services/ledger/index.ts')
    const { durationText } = await import('../../tracing/index.ts')
    const { tableLines } = await import('../table.ts')
    const { output } = context
    return await openLedgerCommand(context, async ({ stack, database, tables }) => {
      const status = await statusOf({ database, tables, broker: stack.broker, clock: stack.clock })
      const exitCode = status.partitions.some(({ lagMs }) => lagMs > LATE_MS) ? LATE_EXIT : 0
      if (options.json) {
        output.json(status)
        return exitCode
      }
      const rows = status.partitions.map(({ partition, nextOffset, endOffset, lagFacts, lagMs, underivedFacts }) => [
        String(partition),
        nextOffset === null ? 'never' : String(nextOffset),
        String(endOffset),
        String(lagFacts),
        lagFacts === 0 ? '' : durationText(lagMs),
        String(underivedFacts),
      ])
      const [header = '', ...lines] = tableLines(
        ['PARTITION', 'READ TO', 'END', 'BEHIND', 'SINCE', 'NOT SUMMED UP'],
        rows,
      )
      output.line(output.style('dim', header))
      for (const line of lines) output.line(line)
      const { flows, openFlows, facts, bytes, oldestAtMs, instances } = status
      const perFlow = flows === 0 ? '' : `, ${Math.round(bytes / flows)} bytes a flow`
      const since = oldestAtMs === null ? '' : ` since ${new Date(oldestAtMs).toISOString()}`
      output.line(`${flows} flows (${openFlows} not complete), ${facts} facts${since}`)
      output.line(`${(bytes / MEGABYTE).toFixed(1)} MB${perFlow}`)
      for (const { topic, records, oldestAtMs: from, keepMs, lagRecords } of status.archive) {
        const kept = keepMs === -1 ? 'for ever' : `for ${durationText(keepMs)}`
        const oldest = from === null ? '' : ` since ${new Date(from).toISOString()}`
        const behind = lagRecords === 0 ? '' : `, ${lagRecords} behind`
        output.line(`archive of ${topic}: ${records} records${oldest}, kept ${kept}${behind}`)
      }
      output.note(output.styleNote('dim', `${instances} instances run; ${database.description}`))
      return exitCode
    })
  },
})

const LATE_MS = 10_000
const LATE_EXIT = 69
