/**
 * The values of handlings, byte by byte (docs/design/states.md). The scripts compare and splice them at the same places:
 * version and state, generation in bytes 2-5 (of a claim in 3-5, behind the deaths that it has cost), and from byte 6 on what a compare-and-set must meet.
 */
import { LabanError } from '../../../contracts/errors.ts'
import type { BuryRequest, From, HandedKind, HandlingState, InputPosition } from '../../ports/claim-store.ts'
import type { RestoredState } from '../../ports/recovery-store.ts'

const VERSION = 0x31
const STATE = { done: 0x30, claimed: 0x31, computed: 0x32, handed: 0x33, dead: 0x34, unpublished: 0x35 } as const
const KIND_LETTERS = { retry: 'r', parked: 'p', suspended: 's', joined: 'j' } as const satisfies Record<
  HandedKind,
  string
>
const KINDS = new Map<string, HandedKind>(
  Object.entries(KIND_LETTERS).map(([kind, letter]) => [letter, kind as HandedKind]),
)
/** Version, state, generation. */
const HEAD_BYTES = 6
const UINT32 = 2 ** 32

/** Attempt and owner, as they stand in claims, computed values and dead letters. */
export function claimTail(owner: string, attempt: number): Buffer {
  const ownerTail = lengthPrefixed(owner)
  const tail = Buffer.allocUnsafe(4 + ownerTail.length)
  tail.writeUInt32BE(attempt, 0)
  ownerTail.copy(tail, 4)
  return tail
}

/** What a compare-and-set expects: the tail of a claim, or '' for nothing stored. */
export function expectation(from: From): Buffer | string {
  return from === 'absent' ? '' : claimTail(from.owner, from.attempt)
}

/** What a burial requires: {@link expectation} behind the letter of its state. */
export function burialExpectation(from: BuryRequest['from']): Buffer | string {
  if (from === 'absent') return ''
  if ('owner' in from) return Buffer.concat([Buffer.from('c'), claimTail(from.owner, from.attempt)])
  return Buffer.concat([Buffer.from('p'), claimTail(from.computedBy, from.attempt)])
}

/** A redrive names the dead letter's generation and the new owner. */
export function redriveArguments(generation: number, owner: string): readonly [Buffer, Buffer] {
  return [Buffer.concat([Buffer.from('x'), generationBytes(generation)]), lengthPrefixed(owner)]
}

/** A generation as scripts compare it. */
export function generationBytes(generation: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(generation)
  return bytes
}

/** Kind and attempt of a handed-over handling. */
export function handedTail(kind: HandedKind, attempt: number): Buffer {
  const tail = Buffer.from(`${KIND_LETTERS[kind]}0000`)
  tail.writeUInt32BE(attempt, 1)
  return tail
}

/** What a `computed` value says. */
export interface Computed {
  readonly owner: string
  readonly attempt: number
  readonly position: InputPosition
  readonly outputs: Buffer
}

/** A whole `computed` value of generation 0, and the length of all but its outputs. */
export function computedValue(computed: Computed): { value: Buffer; ownBytes: number } {
  const value = Buffer.allocUnsafe(computedBytes(computed))
  return { value, ownBytes: writeComputed(computed, value, 0) - computed.outputs.length }
}

/** The whole value of a state that is put back. */
export function restoredValue(restored: RestoredState): Buffer {
  switch (restored.state) {
    case 'done':
      return Buffer.from([VERSION, STATE.done])
    case 'claimed':
      return claimedValue(restored)
    case 'computed':
      return computedValue(restored).value
    case 'handed':
      return withHead(STATE.handed, restored.generation, handedTail(restored.kind, restored.attempt))
    case 'dead':
      return deadValue(restored)
  }
}

function claimedValue({
  owner,
  attempt,
  generation,
  deaths = 0,
}: Extract<RestoredState, { state: 'claimed' }>): Buffer {
  const value = withHead(STATE.claimed, generation, claimTail(owner, attempt))
  value.writeUInt8(deaths, 2)
  return value
}

function deadValue({ attempt, generation, unsettled }: Extract<RestoredState, { state: 'dead' }>): Buffer {
  const tail = claimTail(unsettled?.owner ?? '', attempt)
  return withHead(STATE.dead, generation, unsettled === undefined ? tail : Buffer.concat([tail, unsettled.note]))
}

function withHead(state: number, generation: number, tail: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head[0] = VERSION
  head[1] = state
  head.writeUInt32BE(generation, 2)
  return Buffer.concat([head, tail])
}

/** Size of a `computed` value. */
export function computedBytes({ owner, position, outputs }: Computed): number {
  return HEAD_BYTES + 4 + 1 + nameBytes(owner) + 1 + nameBytes(position.topic) + 12 + outputs.length
}

/** Writes a `computed` value of generation 0 and returns the offset behind it. */
export function writeComputed({ owner, attempt, position, outputs }: Computed, target: Buffer, at: number): number {
  target[at] = VERSION
  target[at + 1] = STATE.computed
  target.writeUInt32BE(0, at + 2)
  let next = target.writeUInt32BE(attempt, at + HEAD_BYTES)
  next = writeName(owner, target, next)
  next = writeName(position.topic, target, next)
  next = target.writeInt32BE(position.partition, next)
  next = target.writeUInt32BE(Math.floor(position.offset / UINT32), next)
  next = target.writeUInt32BE(position.offset % UINT32, next)
  target.set(outputs, next)
  return next + outputs.length
}

/**
 * The state that a stored value tells of.
 * @throws LABAN_FORMAT_TOO_NEW for a version that this laban does not know
 */
export function decodeState(value: Buffer | null): HandlingState {
  if (value === null) return { state: 'absent' }
  checkVersion(value, 'The state of a handling')
  switch (value[1]) {
    case STATE.done:
      return { state: 'done' }
    case STATE.claimed: {
      const { owner, attempt } = readClaim(value)
      const deaths = value.readUInt8(2)
      return { state: 'claimed', owner, attempt, ...(deaths === 0 ? {} : { deaths }) }
    }
    case STATE.computed:
      return readComputed(value)
    case STATE.handed:
      return { state: 'handed', kind: readKind(value), attempt: value.readUInt32BE(HEAD_BYTES + 1) }
    case STATE.dead:
    case STATE.unpublished:
      return { state: 'dead', generation: value.readUInt32BE(2), ...readUnsettled(value) }
    default:
      throw corrupt(value)
  }
}

/** @throws LABAN_FORMAT_TOO_NEW when the first byte names a version that this laban does not know */
export function checkVersion(value: Buffer, what: string): void {
  const version = value[0]
  if (version === VERSION) return
  if (version === undefined || version < VERSION) throw corrupt(value)
  throw new LabanError('LABAN_FORMAT_TOO_NEW', {
    what: `${what} in Redis`,
    found: version - 0x30,
    known: VERSION - 0x30,
  })
}

function readClaim(value: Buffer): { owner: string; attempt: number; endsAt: number } {
  const ownerAt = HEAD_BYTES + 5
  const endsAt = ownerAt + value.readUInt8(ownerAt - 1)
  return { owner: value.toString('utf8', ownerAt, endsAt), attempt: value.readUInt32BE(HEAD_BYTES), endsAt }
}

function readComputed(value: Buffer): HandlingState {
  const { owner, attempt, endsAt } = readClaim(value)
  const topicAt = endsAt + 1
  const partitionAt = topicAt + value.readUInt8(endsAt)
  const position = {
    topic: value.toString('utf8', topicAt, partitionAt),
    partition: value.readInt32BE(partitionAt),
    offset: value.readUInt32BE(partitionAt + 4) * UINT32 + value.readUInt32BE(partitionAt + 8),
  }
  return { state: 'computed', owner, attempt, position, outputs: value.subarray(partitionAt + 12) }
}

/** What follows the owner is the note; where a result is kept behind it, its length comes first. */
function readUnsettled(value: Buffer): { unsettled?: { owner: string; note: Buffer } } {
  const { owner, endsAt } = readClaim(value)
  const note =
    value[1] === STATE.dead
      ? value.subarray(endsAt)
      : value.subarray(endsAt + 4, endsAt + 4 + value.readUInt32BE(endsAt))
  return note.length === 0 ? {} : { unsettled: { owner, note } }
}

function readKind(value: Buffer): HandedKind {
  const kind = KINDS.get(String.fromCharCode(value[HEAD_BYTES] ?? 0))
  if (kind === undefined) throw corrupt(value)
  return kind
}

function lengthPrefixed(text: string): Buffer {
  const prefixed = Buffer.allocUnsafe(1 + nameBytes(text))
  writeName(text, prefixed, 0)
  return prefixed
}

function nameBytes(text: string): number {
  const bytes = Buffer.byteLength(text)
  if (bytes <= 255) return bytes
  throw new LabanError('LABAN_INVARIANT', { problem: `a name of ${bytes} bytes is too long to be stored` })
}

function writeName(text: string, target: Buffer, at: number): number {
  const bytes = target.write(text, at + 1)
  target[at] = bytes
  return at + 1 + bytes
}

function corrupt(value: Buffer): LabanError {
  const start = value.subarray(0, 16).toString('hex')
  return new LabanError('LABAN_INVARIANT', { problem: `a value in Redis is none of ours; it begins with ${start}` })
}
