/** Dead letters as text and as JSON. */
import { headerText } from '../../contracts/index.ts'
import {
  describeUnknown,
  expiryOf,
  isGoingSoon,
  type DeadLetter,
  type DeadLetterGroup,
  type Retentions,
} from '../../runtime/internal.ts'
import type { Output } from '../output.ts'
import type { ReadingSource } from '../reading-source.ts'

/** The value of an event, or why it cannot be read. */
export type Body = { readonly value: unknown } | { readonly unreadable: string; readonly bytes: string }

const SHOWN_IDS = 5
const SHOWN_BYTES = 64
const TIME_CHARS = 19

/** Decodes the event by its contract. */
export async function readBody({ codec }: ReadingSource, { origin, value }: DeadLetter): Promise<Body> {
  try {
    for (;;) {
      const decoded = codec.decode(origin.topic, value, origin)
      if ('value' in decoded) return { value: decoded.value }
      await codec.load(decoded.loadSchemaId)
    }
  } catch (error) {
    return { unreadable: describeUnknown(error), bytes: value?.toString('base64') ?? '' }
  }
}

/** A group in a few lines. */
export function groupLines(
  { id, agent, code, message, at, letters }: DeadLetterGroup,
  { output, retentions, nowMs }: { readonly output: Output; readonly retentions: Retentions; readonly nowMs: number },
): string[] {
  const [oldest] = letters
  const expiresAtMs = oldest === undefined ? undefined : expiryOf(oldest, retentions)
  const first = letters[0]?.failedAtMs ?? 0
  const last = letters.at(-1)?.failedAtMs ?? 0
  const redriven = letters.filter(({ status }) => status === 'redriven').length
  const under = redriven > 0 ? `, ${redriven} redriven and not ended yet` : ''
  return [
    `${output.style('bold', `${letters.length} × ${agent}`)}  ${output.style('red', code)}  group ${id}`,
    `  ${message}`,
    ...(at === '' ? [] : [`  at ${at}`]),
    `  ${timeText(first)} to ${timeText(last)}${under}`,
    ...(expiresAtMs === undefined ? [] : [keptLine(expiresAtMs, nowMs, output)]),
    ...letters.slice(0, SHOWN_IDS).map((letter) => `    ${letter.eventId}  ${letter.status}  ${letter.origin.topic}`),
    ...(letters.length > SHOWN_IDS
      ? [`    and ${letters.length - SHOWN_IDS} more: laban dlq list --group ${id} --json`]
      : []),
    `  laban dlq redrive --group ${id} --dry-run`,
    '',
  ]
}

function keptLine(expiresAtMs: number, nowMs: number, output: Output): string {
  const until = timeText(expiresAtMs)
  if (!isGoingSoon(expiresAtMs, nowMs)) return `  the oldest is kept until ${until}`
  return output.style('red', `  the oldest is kept only until ${until}; what waits behind it must be let go before`)
}

/** One dead letter on a page. */
export function letterLines(
  letter: DeadLetter,
  { body, history }: { readonly body: Body; readonly history: readonly DeadLetter[] },
  output: Output,
): string[] {
  const { agent, agentVersion, origin, key, code, attempts, status, note } = letter
  const title = (text: string): string => output.style('bold', text)
  return [
    title(`${agent} could not handle ${origin.topic}`),
    `  event     ${letter.eventId}`,
    `  flow      ${letter.flowId}`,
    `  record    ${origin.topic}/${origin.partition}@${origin.offset}, key ${key?.toString('utf8') ?? '(none)'}`,
    `  letter    ${letter.place}, generation ${letter.generation}, ${status}${note === '' ? '' : `: ${note}`}`,
    title('Why'),
    `  ${output.style('red', code)}  ${letter.message}`,
    `  after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} at ${timeText(letter.failedAtMs)} by version ${agentVersion} on ${letter.instance}`,
    ...letter.stack
      .split('\n')
      .slice(0, 6)
      .map((line) => output.style('dim', `    ${line.trim()}`)),
    title('Event'),
    ...('value' in body
      ? jsonText(body.value)
          .split('\n')
          .map((line) => `  ${line}`)
      : [`  cannot be read: ${body.unreadable}`, `  bytes ${body.bytes.slice(0, SHOWN_BYTES)}`]),
    title('Headers'),
    ...Object.keys(letter.headers).map((name) => `  ${name}: ${headerText(letter.headers, name) ?? ''}`),
    ...(history.length > 1 ? [title('History')] : []),
    ...(history.length > 1 ? history.map(historyLine) : []),
    title('Next'),
    ...nextLines(letter),
  ]
}

function nextLines({ status, eventId, flowId, agent, note }: DeadLetter): string[] {
  if (status === 'replaced') return [`  replaced by ${note}: laban flow ${flowId}`]
  if (status === 'resolved') return [`  nothing: it has succeeded since; laban flow ${flowId}`]
  return [
    `  laban flow ${flowId}`,
    `  laban dlq redrive ${eventId} --agent ${agent}     after the cause is mended`,
    `  laban dlq edit ${eventId} --agent ${agent}        when the event itself is wrong`,
    `  laban dlq discard ${eventId} --agent ${agent} --reason "…"`,
  ]
}

function historyLine({ generation, code, failedAtMs, status, place }: DeadLetter): string {
  return `  ${generation}. ${timeText(failedAtMs)}  ${code}  ${status}  ${place}`
}

/** A group for programs. */
export function groupJson({ letters, ...group }: DeadLetterGroup, retentions: Retentions): object {
  const withExpiry = (letter: DeadLetter): object => {
    return { ...letterJson(letter), expiresAtMs: expiryOf(letter, retentions) ?? null }
  }
  return { ...group, count: letters.length, letters: letters.map(withExpiry) }
}

/** A letter for programs; keys are text, headers as strings. */
export function letterJson(letter: DeadLetter): object {
  const { key, value: _value, headers, envelope, ...rest } = letter
  const texts = Object.keys(headers).map((name) => [name, headerText(headers, name)])
  return {
    ...rest,
    key: key?.toString('utf8') ?? null,
    hop: envelope.hop,
    headers: Object.fromEntries(texts) as object,
  }
}

/** Avro longs may be bigints and bytes buffers: both become what JSON can hold. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_name, field: unknown) => (typeof field === 'bigint' ? String(field) : field), 2)
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, TIME_CHARS).replace('T', ' ')
}
