/** Derived identities: the same logical event has the same id on every attempt and every machine; only a first event without a name of its own is drawn at random. */
import { hash, randomUUID } from 'node:crypto'

/** A UUID in its 36-character lower-case form. */
export type Uuid = string

/** The phase of a handling that an output belongs to. */
export type Phase = 'handle' | 'compensate'

/** UUIDv8 (RFC 9562) made of the first 122 bits of sha256 over the parts, which are joined by `|` after escaping it. */
export function deriveId(...parts: readonly string[]): Uuid {
  let text = ''
  for (const part of parts) text += (part.includes('|') || part.includes('\\') ? escapePart(part) : part) + '|'
  return formatUuid(hash('sha256', text, 'hex'))
}

/** Id of an event that a handling publishes: agent, handled event, phase, topic, and its name or ordinal within the topic. */
// eslint-disable-next-line max-params -- the five parts of an output's identity
export function outputId(agent: string, handledId: Uuid, phase: Phase, topic: string, nameOrOrdinal: string): Uuid {
  return deriveId('output', agent, handledId, phase, topic, nameOrOrdinal)
}

/** Id of the one handling that a join performs for a flow. */
export function joinHandlingId(agent: string, flowId: Uuid): Uuid {
  return deriveId('join', agent, flowId)
}

/** Id of an event whose producer knows nothing of laban: where it lies. Computed once, then carried in headers. */
export function foreignEventId(topic: string, partition: number, offset: number): Uuid {
  return deriveId('foreign', topic, String(partition), String(offset))
}

/** Idempotency key of an effect: the same on every attempt, also for an event that replaces the original after an edit. */
export function effectKey(agent: string, originId: Uuid, name: string): Uuid {
  return deriveId('effect', agent, originId, name)
}

/** Id of the event that a timer publishes when it fires. */
export function timerEventId(timerId: string): Uuid {
  return deriveId('timer', timerId)
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for a lower-case UUID of any version. */
export function isUuid(text: string): text is Uuid {
  return text.length === 36 && UUID.test(text)
}

/** The id of a first event: given as UUID, derived from a given text, or random. */
export function firstEventId(topic: string, id?: string): Uuid {
  if (id === undefined) return randomUUID()
  return isUuid(id) ? id : deriveId('first', topic, id)
}

const DASH = 45
const DIGIT_0 = 48
const LETTER_A = 97

/** The 16 bytes of a UUID. */
export function uuidToBytes(id: Uuid): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  writeUuid(bytes, 0, id)
  return bytes
}

/** Writes the 16 bytes of a UUID and returns the offset behind them. */
export function writeUuid(target: Buffer, at: number, id: Uuid): number {
  let next = at
  for (let index = 0; index < id.length; index += 2) {
    if (id.charCodeAt(index) === DASH) index++
    target[next++] = (hexDigit(id.charCodeAt(index)) << 4) | hexDigit(id.charCodeAt(index + 1))
  }
  return next
}

function hexDigit(code: number): number {
  return code < LETTER_A ? code - DIGIT_0 : code - LETTER_A + 10
}

/** A UUID from 16 bytes at `offset`. */
export function uuidFromBytes(bytes: Buffer, offset = 0): Uuid {
  const hex = bytes.toString('hex', offset, offset + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Slot of a flow among `slots`: everything one agent stores for one flow shares it. */
export function flowSlot(flowId: Uuid, slots: number): number {
  let number = 0
  for (let index = 0; index < 4; index++) number = (number << 4) | hexDigit(flowId.charCodeAt(index))
  return number % slots
}

const VARIANT = ['8', '9', 'a', 'b']

function formatUuid(hex: string): Uuid {
  const variant = VARIANT[Number.parseInt(hex.charAt(16), 16) & 3] ?? '8'
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function escapePart(part: string): string {
  return part.replace(/[\\|]/g, (character) => `\\${character}`)
}
