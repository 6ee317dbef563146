/** `laban diff <flow> <flow>`: where two flows part, in path, outcome, content, attempts, time and cost. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

const DIFFERENT_EXIT = 1

export const diff = defineCommand({
  name: 'diff',
  summary: 'Compare two flows',
  description:
    'Lays the flows over each other by causal position: the n-th event of a topic that an agent published is the same place in every ' +
    'flow, whatever its id. Contents are compared field by field; personal fields stay masked. Exits with 1 when path, outcome or ' +
    'content differ.',
  arguments: [
    { name: 'left', summary: 'Flow id, the beginning of one, or a record key' },
    { name: 'right', summary: 'The flow to compare it with' },
  ],
  options: {
    noBodies: { kind: 'flag', summary: 'Do not read what the events say' },
    maxBodies: {
      kind: 'number',
      unit: 'events',
      minimum: 1,
      default: 1000,
      summary: 'Compare the contents of so many events at most, the first ones',
    },
    fromLog: { kind: 'flag', summary: 'Read the events on their topics too and compare them with the facts' },
    on: ON_OPTION,
    json: { kind: 'flag', summary: 'As JSON' },
  },
  examples: [
    { command: 'laban diff 8bb8bc08 771174fb', explains: 'Why did this application take another way?' },
    { command: 'laban diff 8bb8bc08 771174fb --no-bodies --json', explains: 'Path and outcome alone, for a script' },
  ],
  async run([left = '', right = ''], options, context) {
    const { withFlow } = await import('../find-flow.ts')
    const { compareFlows } = await import('../flow/compare.ts')
    const { renderDiff } = await import('../../tracing/index.ts')
    const { jsonText } = await import('../dlq/show-letters.ts')
    const { output } = context
    const look = { on: options.on, fromLog: options.fromLog }
    const maxBodies = options.noBodies ? 0 : options.maxBodies
    return withFlow(left, context, look, (ours) =>
      withFlow(right, context, look, async (theirs) => {
        const { difference, notCompared } = await compareFlows(ours, theirs, maxBodies)
        if (options.json) output.line(jsonText(difference))
        else output.line(renderDiff(difference, { colors: output.hasColours }))
        if (notCompared > 0)
          output.note(`contents of ${notCompared} events were not compared: expired, unreadable or beyond --max-bodies`)
        return difference.same ? 0 : DIFFERENT_EXIT
      }),
    )
  },
})
