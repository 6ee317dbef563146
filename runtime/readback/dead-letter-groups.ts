/** Dead letters by what went wrong: those that failed alike are looked at, and redriven, together. */
import { createHash } from 'node:crypto'
import type { DeadLetter } from './dead-letters.ts'

/** Dead letters that failed alike. */
export interface DeadLetterGroup {
  /** Eight hex digits of agent, code, message and place in the code. */
  readonly id: string
  readonly agent: string
  readonly code: string
  readonly message: string
  /** The line of the stack that comes first, or ''. */
  readonly at: string
  readonly letters: readonly DeadLetter[]
}

/** Still to be dealt with. */
export function isWaiting({ status }: DeadLetter): boolean {
  return status === 'open' || status === 'redriven'
}

/** Groups, the largest first. */
export function groupLetters(letters: readonly DeadLetter[]): readonly DeadLetterGroup[] {
  return [...Map.groupBy(letters, groupIdOf)]
    .flatMap(([id, members]) => {
      const last = members.at(-1)
      if (last === undefined) return []
      const { agent, code } = last
      return [{ id, agent, code, message: firstLine(last.message), at: firstFrame(last.stack), letters: members }]
    })
    .sort((a, b) => b.letters.length - a.letters.length || (a.id < b.id ? -1 : 1))
}

/** Numbers and ids in a message differ from event to event; what is left says what went wrong. */
export function groupIdOf({ agent, code, message, stack }: DeadLetter): string {
  const text = firstLine(message).replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\d+/gi, '#')
  return createHash('sha256')
    .update([agent, code, text, firstFrame(stack)].join('|'))
    .digest('hex')
    .slice(0, 8)
}

/** One letter per handling, in the order in which they were first recorded: the members of a join come back together. */
export function inOrder(letters: readonly DeadLetter[]): readonly DeadLetter[] {
  const byHandling = new Map<string, DeadLetter>()
  for (const letter of letters) byHandling.set(`${letter.agent} ${letter.handlingId}`, letter)
  return [...byHandling.values()].sort(
    (a, b) => a.origin.timestampMs - b.origin.timestampMs || a.origin.offset - b.origin.offset,
  )
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

function firstFrame(stack: string): string {
  // `laban dev` loads a file anew after each edit, under another address.
  return (/^\s*at (.+)$/m.exec(stack)?.[1] ?? '').replace(/\?laban-generation=\d+/, '')
}
