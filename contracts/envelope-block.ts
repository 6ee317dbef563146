/**
 * Writes the envelopes of one source's events as header blocks. All but ids, time and trace context is the same for every event of
 * a topic at one hop and is written once; an envelope with anything unusual is written header by header. Equal in bytes either way.
 */
import { encodeEnvelope, type SentEnvelope } from './envelope.ts'
import { HeaderBlock, writePart } from './header-block.ts'
import { writeVarint } from './varint.ts'

const UUID_CHARS = 36
const TIME_CHARS = 24
const TRACEPARENT_CHARS = 55
const SLAB_BYTES = 64 * 1024
/** Templates of one encoder; hops of endless chains must not fill the memory. */
const MAX_TEMPLATES = 1_000

/** The constant stretches between id, flow id, time, causes and trace context. */
interface Template {
  readonly stretches: readonly [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer]
  readonly bytes: number
}

/** See the file's head. One per agent. */
export class EnvelopeBlocks {
  readonly #templates = new Map<string, Map<number, Template>>()
  #count = 0
  #slab = Buffer.alloc(0)
  #used = 0

  encode(envelope: SentEnvelope): HeaderBlock {
    const { id, flowId, time, causes, traceparent } = envelope
    if (time === undefined || traceparent === undefined || !isUsual(envelope, time, traceparent))
      return HeaderBlock.of(encodeEnvelope(envelope))
    const { stretches, bytes } = this.#template(envelope)
    if (this.#used + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes))
      this.#used = 0
    }
    const slab = this.#slab
    const from = this.#used
    let at = put(slab, from, stretches[0])
    at += slab.write(id, at, 'latin1')
    at = put(slab, at, stretches[1])
    at += slab.write(flowId, at, 'latin1')
    at = put(slab, at, stretches[2])
    at += slab.write(time, at, 'latin1')
    at = put(slab, at, stretches[3])
    at += slab.write(causes.length === 1 ? (causes[0] ?? '') : causes.join(), at, 'latin1')
    at = put(slab, at, stretches[4])
    at += slab.write(traceparent, at, 'latin1')
    at = put(slab, at, stretches[5])
    this.#used = at
    return new HeaderBlock(slab.subarray(from, at))
  }

  #template(envelope: SentEnvelope): Template {
    const { type, hop, causes } = envelope
    let ofTopic = this.#templates.get(type)
    if (ofTopic === undefined) this.#templates.set(type, (ofTopic = new Map<number, Template>()))
    const name = hop * MAX_CAUSES + causes.length
    const known = ofTopic.get(name)
    if (known !== undefined) return known
    if (this.#count++ >= MAX_TEMPLATES) {
      this.#templates.clear()
      this.#count = 0
    }
    const made = createTemplate(envelope)
    ofTopic.set(name, made)
    return made
  }
}

const MAX_CAUSES = 1_000

/** Everything has its usual length and is ASCII, and nothing is there that few events have. */
function isUsual(envelope: SentEnvelope, time: string, traceparent: string): boolean {
  return (
    time.length === TIME_CHARS &&
    traceparent.length === TRACEPARENT_CHARS &&
    envelope.id.length === UUID_CHARS &&
    envelope.flowId.length === UUID_CHARS &&
    envelope.causes.length > 0 &&
    envelope.causes.length < MAX_CAUSES &&
    envelope.tracestate === undefined &&
    envelope.baggage === undefined &&
    envelope.contentHash === undefined &&
    envelope.deadlineAtMs === undefined &&
    envelope.originId === undefined
  )
}

function put(slab: Buffer, at: number, stretch: Buffer): number {
  slab.set(stretch, at)
  return at + stretch.length
}

/** Cuts an envelope's headers where what changes begins and ends. */
function createTemplate(envelope: SentEnvelope): Template {
  const headers = Object.entries(encodeEnvelope(envelope))
  const buffer = Buffer.allocUnsafe(
    64 + headers.reduce((sum, [name, value]) => sum + 3 * (name.length + value.length) + 10, 0),
  )
  const stretches: Buffer[] = []
  let from = 0
  let at = writeVarint(buffer, 0, headers.length)
  for (const [name, value] of headers) {
    at = writePart(buffer, at, name)
    if (!CHANGING.has(name)) {
      at = writePart(buffer, at, value)
      continue
    }
    at = writeVarint(buffer, at, value.length)
    stretches.push(buffer.subarray(from, at))
    from = at
  }
  stretches.push(buffer.subarray(from, at))
  const causesChars = envelope.causes.length * (UUID_CHARS + 1) - 1
  const changing = 2 * UUID_CHARS + TIME_CHARS + causesChars + TRACEPARENT_CHARS
  return { stretches: stretches as unknown as Template['stretches'], bytes: at + changing }
}

/** In the order in which `encodeEnvelope` writes them. */
const CHANGING: ReadonlySet<string> = new Set(['ce_id', 'ce_correlationid', 'ce_time', 'ce_causationid', 'traceparent'])
