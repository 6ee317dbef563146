/** Finds the dead letters that a command is about, and groups them by what went wrong. */
import { createHash } from 'node:crypto'
import { parseDurationMs } from '../../contracts/index.ts'
import {
  agentsWithDeadLetters,
  LabanError,
  readDeadLetters,
  type DeadLetter,
  type Stack,
  type TargetKind,
} from '../../runtime/internal.ts'

/** What was asked for; nothing of it means all. */
export interface Selection {
  /** Event id, the beginning of one, or `topic/partition@offset` of the dead letter. */
  readonly id?: string | undefined
  readonly agent?: string | undefined
  readonly code?: string | undefined
  readonly flow?: string | undefined
  readonly group?: string | undefined
  readonly since?: string | undefined
  readonly on?: TargetKind | undefined
}

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

/** The dead letters of a selection, those included that have been dealt with. @throws LABAN_AGENT_UNKNOWN, LABAN_USAGE */
export async function selectLetters(
  { broker }: Pick<Stack, 'broker'>,
  selection: Selection,
  nowMs: number,
): Promise<readonly DeadLetter[]> {
  const agents = await agentsWithDeadLetters({ broker })
  const { agent, id, code, flow, group, since } = selection
  if (agent !== undefined && !agents.includes(agent)) throw new LabanError('LABAN_AGENT_UNKNOWN', { agent, hint: '' })
  const sinceMs = since === undefined ? 0 : sinceOf(since, nowMs)
  const found: DeadLetter[] = []
  for (const name of agent === undefined ? agents : [agent]) found.push(...(await readDeadLetters({ broker }, name)))
  return found.filter(
    (letter) =>
      (id === undefined || letter.place === id || letter.eventId.startsWith(id.toLowerCase())) &&
      (code === undefined || letter.code === code) &&
      (flow === undefined || letter.flowId.startsWith(flow.toLowerCase())) &&
      (group === undefined || groupIdOf(letter) === group) &&
      letter.failedAtMs >= sinceMs,
  )
}

/** The one dead letter that is meant: the newest of its event. @throws LABAN_DEAD_LETTER_NOT_FOUND, LABAN_USAGE */
export async function selectOne(
  stack: Pick<Stack, 'broker'>,
  selection: Selection & { readonly id: string },
  nowMs: number,
): Promise<DeadLetter> {
  const found = await selectLetters(stack, selection, nowMs)
  const newest = found.filter(({ status }) => status !== 'failed-again')
  const [first] = newest
  if (first === undefined) throw new LabanError('LABAN_DEAD_LETTER_NOT_FOUND', { id: selection.id })
  if (newest.length === 1) return first
  const places = newest.map((letter) => letter.place).slice(0, 5)
  const problem = `${selection.id} fits ${newest.length} dead letters: ${places.join(', ')}; name one of these, or --agent`
  throw new LabanError('LABAN_USAGE', { problem })
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
function groupIdOf({ agent, code, message, stack }: DeadLetter): string {
  const text = firstLine(message).replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\d+/gi, '#')
  return createHash('sha256')
    .update([agent, code, text, firstFrame(stack)].join('|'))
    .digest('hex')
    .slice(0, 8)
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

function firstFrame(stack: string): string {
  // `laban dev` loads a file anew after each edit, under another address.
  return (/^\s*at (.+)$/m.exec(stack)?.[1] ?? '').replace(/\?laban-generation=\d+/, '')
}

function sinceOf(text: string, nowMs: number): number {
  const durationMs = parseDurationMs(text)
  if (durationMs !== undefined) return nowMs - durationMs
  const atMs = Date.parse(text)
  if (Number.isNaN(atMs)) throw new LabanError('LABAN_USAGE', { problem: `--since ${text} is neither 12h nor a time` })
  return atMs
}
