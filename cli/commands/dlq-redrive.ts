/** `laban dlq redrive`: dead letters run once more, at the agent that failed and nowhere else. */
import { defineCommand } from '../command.ts'
import { SELECT_OPTIONS } from '../dlq/options.ts'

export const dlqRedrive = defineCommand({
  name: 'dlq redrive',
  summary: 'Send dead letters once more to the agent that failed',
  description:
    'The event keeps its id and goes to that agent alone. Events of its key that wait behind it follow in their order. Redriving the ' +
    'same dead letter twice runs it once. What had been computed and could not be published is published; the handler does not run ' +
    'again. Name one id, or a selection.',
  arguments: [{ name: 'id', summary: 'Event id, the beginning of one, or topic/partition@offset', isRequired: false }],
  options: {
    ...SELECT_OPTIONS,
    all: { kind: 'flag', summary: 'Everything that the other options leave' },
    dryRun: { kind: 'flag', summary: 'Only show what would run again' },
    rate: { kind: 'number', unit: 'n/s', minimum: 0.001, summary: 'At most so many a second' },
    json: { kind: 'flag', summary: 'What was redriven as JSON' },
  },
  examples: [
    { command: 'laban dlq redrive 8bb8bc08', explains: 'One event' },
    {
      command: 'laban dlq redrive --agent credit.fraud-detection --since 2h --dry-run',
      explains: 'What would run again',
    },
    { command: 'laban dlq redrive --group 1f2e3d4c --rate 20', explains: 'A whole group, 20 a second' },
  ],
  async run([id], options, context) {
    const { commandLog, openTarget } = await import('../target.ts')
    const { deadLetterDeskOn, inOrder, isWaiting, LabanError } = await import('../../runtime/internal.ts')
    const { selectLetters, selectOne } = await import('../dlq/select.ts')
    const { redriveAll } = await import('../dlq/redrive-all.ts')
    const { letterJson } = await import('../dlq/show-letters.ts')
    const { output } = context
    const { agent, code, flow, group, since, all } = options
    if (id === undefined && !all && [agent, code, flow, group, since].every((part) => part === undefined))
      throw new LabanError('LABAN_USAGE', { problem: 'dlq redrive needs an id, a selection such as --agent, or --all' })
    const target = await openTarget(context, { on: options.on, purpose: 'publish', log: commandLog() })
    try {
      const { stack } = target
      const nowMs = stack.clock.nowMs()
      const selected =
        id === undefined
          ? (await selectLetters(stack, options, nowMs)).filter(isWaiting)
          : [await selectOne(stack, { ...options, id }, nowMs)]
      const letters = inOrder(selected)
      if (!options.dryRun) {
        const desk = await deadLetterDeskOn(stack)
        try {
          await redriveAll(desk, letters, { perSecond: options.rate, onRedriven: () => undefined })
        } finally {
          await desk.close()
        }
      }
      if (options.json) return output.json({ redriven: !options.dryRun, letters: letters.map(letterJson) })
      for (const { eventId, agent: runner, origin, attempts, status } of letters) {
        const again = status === 'resolved' ? 'has succeeded since: nothing will happen' : `attempt ${attempts + 1}`
        output.line(`${eventId}  ${origin.topic} at ${runner}, ${again}`)
      }
      output.note(options.dryRun ? `${letters.length} would run again` : `${letters.length} redriven`)
    } finally {
      await target.stack.close()
    }
  },
})
