/** `laban why <id>`: why a flow or an event stands where it stands, in one verdict; `--stuck`: everything that stands still. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

/** Exit status when something stands still. */
const STANDS_EXIT = 2

export const why = defineCommand({
  name: 'why',
  summary: 'Say why a flow or event stands still',
  description:
    'One verdict with its evidence and the command to run next. Looks at facts, announcements, consumer groups, claims, leases and dead ' +
    'letters; needs no trace store and no ledger, and knows events of programs that are not laban. Exits with 0 when it is completed ' +
    'or moves, with 2 when something stands still.',
  arguments: [
    {
      name: 'id',
      summary: 'Flow id or the beginning of one, event id, record key, or topic/partition@offset',
      isRequired: false,
    },
  ],
  options: {
    stuck: { kind: 'flag', summary: 'List all that stand still, by root cause, the oldest first' },
    on: ON_OPTION,
    json: { kind: 'flag', summary: 'As JSON' },
  },
  examples: [
    { command: 'laban why 8bb8bc08-6b96-829f-a45a-752d24795b9f', explains: 'A flow' },
    { command: 'laban why orders.order-placed/3@1207', explains: 'Whatever lies at a place of the log' },
    { command: 'laban why --stuck', explains: 'Everything that stands still in this namespace' },
  ],
  async run([id], options, context) {
    const { LabanError } = await import('../../runtime/internal.ts')
    if ((id === undefined) === !options.stuck) {
      throw new LabanError('LABAN_USAGE', { problem: 'give an id, or --stuck for all that stand still' })
    }
    const { diagnosing } = await import('../why/diagnosing.ts')
    const { diagnosisLines, stuckLines } = await import('../why/print.ts')
    const { rootsOf, standsStill } = await import('../../tracing/index.ts')
    const { output } = context
    return diagnosing(context, { on: options.on, many: id === undefined }, async (diagnostician, description) => {
      if (id === undefined) {
        const report = await diagnostician.stuck()
        if (options.json) output.json(report)
        else {
          for (const line of stuckLines(report, output)) output.line(line)
          output.note(output.styleNote('dim', `from ${description}`))
        }
        return report.groups.length === 0 ? 0 : STANDS_EXIT
      }
      const diagnosis = await diagnostician.why(id)
      if (options.json) output.json(diagnosis)
      else {
        for (const line of diagnosisLines(diagnosis, output)) output.line(line)
        output.note(output.styleNote('dim', `from ${description}`))
      }
      return rootsOf(diagnosis.verdict).some(standsStill) ? STANDS_EXIT : 0
    })
  },
})
