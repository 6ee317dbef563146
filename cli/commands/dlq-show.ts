/** `laban dlq show <id>`: one dead letter: the event, why it failed, what happened before, and what to do next. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const dlqShow = defineCommand({
  name: 'dlq show',
  summary: 'Show one dead letter: the event, why it failed, what to do',
  arguments: [{ name: 'id', summary: 'Event id, the beginning of one, or topic/partition@offset of the dead letter' }],
  options: {
    agent: { kind: 'text', metavar: 'name', summary: 'The agent, when several have failed on this event' },
    on: ON_OPTION,
    json: { kind: 'flag', summary: 'Everything as JSON' },
  },
  examples: [{ command: 'laban dlq show 8bb8bc08', explains: 'The beginning of the event id is enough' }],
  async run([id = ''], options, context) {
    const { commandLog, openTarget } = await import('../target.ts')
    const { selectLetters, selectOne } = await import('../dlq/select.ts')
    const { letterJson, letterLines, readBody } = await import('../dlq/show-letters.ts')
    const { readingSource } = await import('../reading-source.ts')
    const { output } = context
    const target = await openTarget(context, { on: options.on, purpose: 'read', log: commandLog() })
    try {
      const { stack } = target
      const letter = await selectOne(stack, { ...options, id }, stack.clock.nowMs())
      const all = await selectLetters(stack, { agent: letter.agent, id: letter.eventId }, stack.clock.nowMs())
      const body = await readBody(readingSource(stack), letter)
      if (options.json) return output.json({ ...letterJson(letter), body, history: all.map(letterJson) })
      for (const line of letterLines(letter, { body, history: all }, output)) output.line(line)
    } finally {
      await target.stack.close()
    }
  },
})
