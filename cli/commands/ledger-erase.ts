/** `laban ledger erase <id>`: takes what somebody said out of the archive before its time. */
import { defineCommand } from '../command.ts'

export const ledgerErase = defineCommand({
  name: 'ledger erase',
  summary: 'Erase archived bodies of one event or of all events of a flow',
  description:
    'What is erased is not archived again. The topics themselves keep what they have until their retention ends, and so does the ' +
    'ledger with facts: who handled what and when, record keys, errors. Exits with 65 when nothing is archived of this id.',
  arguments: [{ name: 'id', summary: 'Event id or flow id' }],
  options: { dryRun: { kind: 'flag', summary: 'Only say what would be erased' } },
  examples: [
    { command: 'laban ledger erase 8bb8bc08-6b96-829f-a45a-752d24795b9f --dry-run', explains: 'How much there is' },
    { command: 'laban ledger erase 8bb8bc08-6b96-829f-a45a-752d24795b9f', explains: 'For good' },
  ],
  async run([given = ''], options, context) {
    const { openLedgerCommand } = await import('../ledger/open-ledger-command.ts')
    const { isUuid } = await import('../../contracts/index.ts')
    const { LabanError } = await import('../../runtime/internal.ts')
    const { archivedOf, eraseArchived } = await import('../../services/ledger/index.ts')
    const { output } = context
    const id = given.toLowerCase()
    if (!isUuid(id)) throw new LabanError('LABAN_USAGE', { problem: `${given} is no id of an event or a flow` })
    return await openLedgerCommand(context, async ({ database, tables }) => {
      const found = await archivedOf(database, tables, id)
      if (found.size === 0) {
        output.note(`nothing is archived of ${id}`)
        return NOTHING_EXIT
      }
      for (const [topic, records] of found) output.line(`${topic}: ${records} records`)
      if (options.dryRun) return 0
      output.line(`erased ${await eraseArchived(database, tables, id)} records`)
      return 0
    })
  },
})

const NOTHING_EXIT = 65
