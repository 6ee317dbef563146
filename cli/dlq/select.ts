/** Finds the dead letters that a command is about. */
import { parseDurationMs } from '../../contracts/index.ts'
import {
  agentsWithDeadLetters,
  groupIdOf,
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

function sinceOf(text: string, nowMs: number): number {
  const durationMs = parseDurationMs(text)
  if (durationMs !== undefined) return nowMs - durationMs
  const atMs = Date.parse(text)
  if (Number.isNaN(atMs)) throw new LabanError('LABAN_USAGE', { problem: `--since ${text} is neither 12h nor a time` })
  return atMs
}
