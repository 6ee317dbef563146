/** `laban dlq edit`: a corrected event takes the place of a dead letter. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const dlqEdit = defineCommand({
  name: 'dlq edit',
  summary: 'Put a corrected event in the place of a dead letter',
  description:
    'Without --file it prints the value as JSON. With it, the value is checked by the contract and becomes a new event that refers to ' +
    'the old one; it goes to the agent that failed, and effects of the two share their keys. The same value twice is the same event.',
  arguments: [{ name: 'id', summary: 'Event id, the beginning of one, or topic/partition@offset of the dead letter' }],
  options: {
    file: { kind: 'text', metavar: 'path', summary: 'JSON file with the corrected value; - for stdin' },
    agent: { kind: 'text', metavar: 'name', summary: 'The agent, when several have failed on this event' },
    on: ON_OPTION,
  },
  examples: [
    { command: 'laban dlq edit 8bb8bc08 > value.json', explains: 'The value as it is' },
    { command: 'laban dlq edit 8bb8bc08 --file value.json', explains: 'The corrected one takes its place' },
  ],
  async run([id = ''], options, context) {
    const { readFileSync } = await import('node:fs')
    const { commandLog, openTarget } = await import('../target.ts')
    const { deadLetterDeskOn } = await import('../../runtime/internal.ts')
    const { selectOne } = await import('../dlq/select.ts')
    const { jsonText } = await import('../dlq/show-letters.ts')
    const { parseValue } = await import('../dlq/parse-value.ts')
    const { output } = context
    const { file } = options
    const value = file === undefined ? undefined : parseValue(file, readFileSync(file === '-' ? 0 : file, 'utf8'))
    const target = await openTarget(context, { on: options.on, purpose: 'publish', log: commandLog() })
    try {
      const letter = await selectOne(target.stack, { ...options, id }, target.stack.clock.nowMs())
      const desk = await deadLetterDeskOn(target.stack)
      try {
        if (value === undefined) return output.line(jsonText(await desk.valueOf(letter)))
        const newId = await desk.replace(letter, value)
        output.note(`${letter.eventId} replaced by ${newId}; laban flow ${letter.flowId}`)
      } finally {
        await desk.close()
      }
    } finally {
      await target.stack.close()
    }
  },
})
