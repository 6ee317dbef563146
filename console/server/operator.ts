/**
 * What an operator may do: send dead letters once more, correct one, give some up. Each needs the token that this console was started
 * with and the name of who acts; each is a line in the log and a fact that names that person.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { TopicContract } from '../../contracts/index.ts'
import { inOrder, LabanError, type DeadLetter, type DeadLetterDesk, type Logger } from '../../runtime/internal.ts'
import type { ActionRequest, ActionResult } from '../api.ts'
import { withHidden } from './masked.ts'

/** The kinds of action. */
export const ACTIONS = ['redrive', 'discard', 'edit'] as const
export type Action = (typeof ACTIONS)[number]

const LEAST_TOKEN_CHARS = 16
const MAX_LETTERS = 1_000
const MAX_NAME_CHARS = 80
const MAX_REASON_CHARS = 500

/** What the operator's routes need. */
export interface OperatorOptions {
  /** Asked at every action, so that a rotated token counts at once; undefined turns actions off. */
  readonly token: (() => string) | undefined
  readonly log: Logger
  readonly desk: () => Promise<DeadLetterDesk>
  readonly contractOf: (topic: string) => Pick<TopicContract, 'schema'>
  readonly lettersOf: (agent: string) => Promise<readonly DeadLetter[]>
}

/** See the file's head. */
export class Operator {
  readonly #options: OperatorOptions

  /** @throws LABAN_CONFIG_INVALID for a token that is easily guessed */
  constructor(options: OperatorOptions) {
    this.#options = options
    if (options.token !== undefined && options.token().length < LEAST_TOKEN_CHARS) {
      const problem = `must have at least ${LEAST_TOKEN_CHARS} characters`
      throw new LabanError('LABAN_CONFIG_INVALID', {
        path: 'console.operatorToken',
        origin: 'the configuration',
        problem,
      })
    }
  }

  get isEnabled(): boolean {
    return this.#options.token !== undefined
  }

  /** A wrong token is a line in the log with what was asked from where. @throws LABAN_CONSOLE_ACTIONS_OFF, LABAN_CONSOLE_TOKEN */
  check(authorization: string | undefined, asked: { readonly path: string; readonly address: string }): void {
    const { token, log } = this.#options
    if (token === undefined) throw new LabanError('LABAN_CONSOLE_ACTIONS_OFF')
    const given = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? ''
    if (isSame(given, token())) return
    log.warn('an action came with a wrong operator token', { ...asked })
    throw new LabanError('LABAN_CONSOLE_TOKEN')
  }

  /** Does it, after `check`. @throws LABAN_USAGE, LABAN_DEAD_LETTER_NOT_FOUND, LABAN_CONTRACT_VALIDATION, LABAN_CONTRACT_RULE */
  async act(action: Action, request: unknown): Promise<ActionResult> {
    const { letters: named, by, reason, value } = checkRequest(action, request)
    const letters = inOrder(await Promise.all(named.map((each) => this.#find(each))))
    const desk = await this.#options.desk()
    let eventId: string | null = null
    for (const letter of letters) {
      if (action === 'redrive') await desk.redrive(letter, by)
      else if (action === 'discard') await desk.discard(letter, reason, by)
      else eventId = await desk.replace(letter, await this.#unmasked(desk, letter, value), by)
      const { agent, place, eventId: event, flowId } = letter
      this.#options.log.info('operator action', { action, by, agent, place, event, flow: flowId, reason })
    }
    return { done: letters.length, eventId }
  }

  async #unmasked(desk: DeadLetterDesk, letter: DeadLetter, value: unknown): Promise<unknown> {
    return withHidden(value, await desk.valueOf(letter), this.#options.contractOf(letter.origin.topic))
  }

  async #find({ agent, place }: { readonly agent: string; readonly place: string }): Promise<DeadLetter> {
    const letters = await this.#options.lettersOf(agent)
    const letter = letters.find((each) => each.place === place)
    if (letter === undefined) throw new LabanError('LABAN_DEAD_LETTER_NOT_FOUND', { id: place })
    if (letter.status === 'open' || letter.status === 'redriven') return letter
    throw new LabanError('LABAN_USAGE', { problem: `${place} has been dealt with: ${letter.status}` })
  }
}

type CheckedRequest = Required<Omit<ActionRequest, 'value'>> & { readonly value: unknown }

function checkRequest(action: Action, request: unknown): CheckedRequest {
  const { letters, by, reason = '', value } = (isRecord(request) ? request : {}) as Partial<ActionRequest>
  const isList = Array.isArray(letters) && letters.length > 0 && letters.length <= MAX_LETTERS
  if (!isList || !letters.every(isNamed)) throw usage(`letters must be 1 to ${MAX_LETTERS} of {agent, place}`)
  if (!isText(by, MAX_NAME_CHARS)) throw usage('by must say who acts')
  if (action === 'discard' && !isText(reason, MAX_REASON_CHARS)) throw usage('reason must say why')
  if (action === 'edit' && (letters.length !== 1 || value === undefined))
    throw usage('edit takes one letter and its value')
  return { letters, by: by.trim(), reason: reason.trim(), value }
}

function isText(text: unknown, maxChars: number): text is string {
  return typeof text === 'string' && text.trim() !== '' && text.length <= maxChars
}

function isNamed(letter: unknown): boolean {
  return isRecord(letter) && typeof letter['agent'] === 'string' && typeof letter['place'] === 'string'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function usage(problem: string): LabanError {
  return new LabanError('LABAN_USAGE', { problem })
}

/** Compared by digests of one length, in a time that tells nothing. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}
