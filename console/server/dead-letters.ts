/** Dead letters for the page: by what went wrong, one on its own, and what running it once more would set in motion. */
import { headerText } from '../../contracts/index.ts'
import {
  ERROR_TABLE,
  expiryOf,
  groupLetters,
  isWaiting,
  LabanError,
  readFactsOf,
  readRetentions,
  type DeadLetter,
  type Retentions,
} from '../../runtime/internal.ts'
import type { AuditEntry, BodyView, DeadLetterLine, DeadLetterList, DeadLetterPage } from '../api.ts'
import type { ConsoleContext } from './context.ts'
import { unreadable } from './event-body.ts'
import { maskedBody } from './masked.ts'
import { previewRedrive } from './preview.ts'

const SHOWN_LETTERS = 50
const SHOWN_MESSAGE = 300

/** All that wait, by group; with `all` also those that have been dealt with. */
export async function listDeadLetters(
  context: ConsoleContext,
  { all }: { readonly all: boolean },
): Promise<DeadLetterList> {
  const letters = [...(await context.shelf.all()).values()].flat()
  const waiting = letters.filter(isWaiting)
  const shown = all ? letters : waiting
  const retentions = await readRetentions(context.stack, shown)
  const groups = groupLetters(shown).map((group) => ({
    ...{ id: group.id, agent: group.agent, code: group.code, at: group.at },
    message: group.message.slice(0, SHOWN_MESSAGE),
    count: group.letters.length,
    waiting: group.letters.filter(isWaiting).length,
    firstAtMs: group.letters[0]?.failedAtMs ?? 0,
    lastAtMs: group.letters.at(-1)?.failedAtMs ?? 0,
    letters: group.letters
      .slice(-SHOWN_LETTERS)
      .reverse()
      .map((letter) => lineOf(letter, retentions)),
  }))
  return { groups, waiting: waiting.length, total: letters.length }
}

/** One dead letter with everything that helps to decide. @throws LABAN_DEAD_LETTER_NOT_FOUND */
export async function viewDeadLetter(context: ConsoleContext, agent: string, place: string): Promise<DeadLetterPage> {
  const letters = await lettersOf(context, agent)
  const letter = letters.find((each) => each.place === place)
  if (letter === undefined) throw new LabanError('LABAN_DEAD_LETTER_NOT_FOUND', { id: place })
  const retentions = await readRetentions(context.stack, [letter])
  const { errorClass, stack, agentVersion, instance, note, markedAtMs, origin } = letter
  const names = Object.keys(letter.headers).map((name) => [name, headerText(letter.headers, name) ?? ''] as const)
  return {
    letter: {
      ...lineOf(letter, retentions),
      message: letter.message,
      ...{ errorClass, stack, agentVersion, instance, note, markedAtMs },
      origin: { topic: origin.topic, partition: origin.partition, offset: origin.offset },
      headers: Object.fromEntries(names),
    },
    body: await bodyOf(context, letter),
    explanation: explain(letter.code),
    history: letters.filter(({ eventId }) => eventId === letter.eventId).map((each) => lineOf(each, retentions)),
    preview: previewRedrive(letter, await context.source.manifests()),
    audit: await auditOf(context, letter),
  }
}

/** Those of an agent; none when it has no topic for them. */
export async function lettersOf({ shelf }: ConsoleContext, agent: string): Promise<readonly DeadLetter[]> {
  return (await shelf.all()).get(agent) ?? []
}

function lineOf(letter: DeadLetter, retentions: Retentions): DeadLetterLine {
  const { agent, place, eventId, flowId, origin, generation, status, code, message, attempts, failedAtMs, key } = letter
  return {
    ...{ agent, place, eventId, flowId, topic: origin.topic, generation, status, code, attempts, failedAtMs },
    message: message.slice(0, SHOWN_MESSAGE),
    key: key?.toString('utf8') ?? null,
    expiresAtMs: expiryOf(letter, retentions) ?? null,
  }
}

async function bodyOf({ codec, stack }: ConsoleContext, { origin, value }: DeadLetter): Promise<BodyView> {
  try {
    for (;;) {
      const decoded = codec.decode(origin.topic, value, origin)
      if ('value' in decoded) return maskedBody(decoded.value, stack.contracts.get(origin.topic))
      await codec.load(decoded.loadSchemaId)
    }
  } catch (error) {
    return unreadable(error, value)
  }
}

/** Codes of handlers' own errors are not in the table. */
function explain(code: string): DeadLetterPage['explanation'] {
  const rows: Readonly<Record<string, { readonly cause: string; readonly remedy: string }>> = ERROR_TABLE
  const row = rows[code]
  // A remedy with places to fill was written for one who has the details; the message has them.
  return row === undefined ? null : { cause: row.cause, remedy: row.remedy.includes('{') ? '' : row.remedy }
}

/** What people did to dead letters of this event stands in the flow's facts. */
async function auditOf({ stack, codec }: ConsoleContext, letter: DeadLetter): Promise<readonly AuditEntry[]> {
  const { facts } = await readFactsOf({ ...stack, codec }, letter.flowId)
  return facts
    .filter(({ detail, agent, inputs }) => {
      return 'action' in detail && agent === letter.agent && inputs.some(({ eventId }) => eventId === letter.eventId)
    })
    .map(({ detail, endedAtMs, instance, agent, flowId }) => ({
      atMs: endedAtMs,
      action: detail['action'] ?? '',
      by: detail['operator'] ?? `command line at ${instance}`,
      ...{ agent, eventId: letter.eventId, flowId },
      note: detail['reason'] ?? detail['by'] ?? '',
    }))
    .sort((a, b) => a.atMs - b.atMs)
}
