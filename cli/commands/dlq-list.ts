/** `laban dlq list`: what could not be handled, grouped by agent and error. */
import { defineCommand } from '../command.ts'
import { SELECT_OPTIONS } from '../dlq/options.ts'

export const dlqList = defineCommand({
  name: 'dlq list',
  summary: 'List dead letters, grouped by what went wrong',
  description:
    'A dead letter is an event that an agent could not handle. Those that were discarded, replaced, or redriven with success are ' +
    'left out unless --all is given. Groups are alike in agent, error code, message (numbers and ids aside) and place in the code. ' +
    'Each says until when its oldest letter is kept.',
  options: {
    ...SELECT_OPTIONS,
    all: { kind: 'flag', summary: 'Also those that have been dealt with' },
    json: { kind: 'flag', summary: 'Groups and letters as JSON' },
  },
  examples: [
    { command: 'laban dlq list', explains: 'What waits for somebody' },
    { command: 'laban dlq list --agent credit.fraud-detection --since 1h', explains: 'One agent, the last hour' },
  ],
  async run(_args, options, context) {
    const { commandLog, openTarget } = await import('../target.ts')
    const { groupLetters, isWaiting, readRetentions } = await import('../../runtime/internal.ts')
    const { selectLetters } = await import('../dlq/select.ts')
    const { groupLines, groupJson } = await import('../dlq/show-letters.ts')
    const { output } = context
    const target = await openTarget(context, { on: options.on, purpose: 'read', log: commandLog() })
    try {
      const nowMs = target.stack.clock.nowMs()
      const found = await selectLetters(target.stack, options, nowMs)
      const letters = options.all ? found : found.filter(isWaiting)
      const groups = groupLetters(letters)
      const retentions = await readRetentions(target.stack, letters)
      if (options.json) return output.json(groups.map((group) => groupJson(group, retentions)))
      const shown = { output, retentions, nowMs }
      for (const line of groups.flatMap((group) => groupLines(group, shown))) output.line(line)
      output.note(
        groups.length === 0
          ? 'no dead letters'
          : `${letters.length} dead letters in ${groups.length} groups; look at one: laban dlq show ${letters[0]?.eventId ?? ''}`,
      )
    } finally {
      await target.stack.close()
    }
  },
})
