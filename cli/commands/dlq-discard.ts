/** `laban dlq discard`: gives a dead letter up, with a reason; what waits behind it goes on. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const dlqDiscard = defineCommand({
  name: 'dlq discard',
  summary: 'Give a dead letter up, with a reason',
  description:
    'Nothing is deleted: the record and the reason stay readable. Events of its key that wait behind it go on.',
  arguments: [{ name: 'id', summary: 'Event id, the beginning of one, or topic/partition@offset of the dead letter' }],
  options: {
    reason: { kind: 'text', metavar: 'text', summary: 'Why; shown by `laban dlq show` and `laban flow`' },
    agent: { kind: 'text', metavar: 'name', summary: 'The agent, when several have failed on this event' },
    on: ON_OPTION,
  },
  examples: [{ command: 'laban dlq discard 8bb8bc08 --reason "test data"', explains: 'It will not be handled' }],
  async run([id = ''], options, context) {
    const { commandLog, openTarget } = await import('../target.ts')
    const { deadLetterDeskOn, LabanError } = await import('../../runtime/internal.ts')
    const { selectOne } = await import('../dlq/select.ts')
    const { reason } = options
    if (reason === undefined || reason.trim() === '')
      throw new LabanError('LABAN_USAGE', { problem: 'dlq discard needs --reason <text>' })
    const target = await openTarget(context, { on: options.on, purpose: 'publish', log: commandLog() })
    try {
      const letter = await selectOne(target.stack, { ...options, id }, target.stack.clock.nowMs())
      const desk = await deadLetterDeskOn(target.stack)
      try {
        await desk.discard(letter, reason)
      } finally {
        await desk.close()
      }
      context.output.note(`${letter.eventId} discarded for ${letter.agent}: ${reason}`)
    } finally {
      await target.stack.close()
    }
  },
})
