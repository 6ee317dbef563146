/**
 * What a person does with dead letters: send them once more to the agent that failed, put a corrected event in their place, or give
 * them up. Each action is a record that the agent acts on, a mark among the dead letters, and a fact; doing it twice is harmless.
 */
import { hostname } from 'node:os'
import { agentTopic } from '../contracts/contract.ts'
import type { EventCodec } from '../contracts/codec.ts'
import { encodeEnvelope, type Envelope } from '../contracts/envelope.ts'
import { LabanError } from '../contracts/errors.ts'
import { momentaryFact, type Fact, type FactOutcome } from '../contracts/fact.ts'
import { deriveId } from '../contracts/ids.ts'
import { openCodec, type Stack } from './compose.ts'
import { deadLetterMark, type DeadLetterMarking } from './handle/dead-letter.ts'
import type { OutgoingRecord } from './ports/broker.ts'
import { BatchingProducer } from './publish/batching-producer.ts'
import { FactWriter } from './publish/fact-writer.ts'
import type { DeadLetter } from './readback/dead-letters.ts'
import { handoverRecord, type HandoverKind } from './retry/handover.ts'

/** Acts on dead letters of an open stack; see the file's head. `by` says who acts, and stands in the fact. */
export interface DeadLetterDesk {
  /** The event runs again at its agent, and nowhere else, under its own id. */
  redrive(letter: DeadLetter, by?: string): Promise<void>
  /** Nothing is to become of it; events of its key that wait behind it go on. */
  discard(letter: DeadLetter, reason: string, by?: string): Promise<void>
  /**
   * A new event with this value runs in its place and refers to it; the same value twice is the same event. Returns its id.
   * @throws LABAN_CONTRACT_VALIDATION, LABAN_CONTRACT_RULE when the value does not fit; LABAN_USAGE when it has another key
   */
  replace(letter: DeadLetter, value: unknown, by?: string): Promise<string>
  /** The value of the event. @throws LABAN_CONTRACT_DECODE, LABAN_CONTRACT_UNKNOWN_SCHEMA, LABAN_CONTRACT_RULE */
  valueOf(letter: DeadLetter): Promise<unknown>
  /** Sends what is buffered and closes. */
  close(): Promise<void>
}

const SOURCE = 'laban.dlq'
const FLUSH_TIMEOUT_MS = 10_000

/** What a desk works with. */
export interface DeskOptions extends Pick<Stack, 'broker' | 'clock' | 'log' | 'contracts'> {
  readonly codec: EventCodec
  /** Named in facts. @default host and pid */
  readonly instance?: string
}

/** A desk on an open stack. @throws LABAN_SCHEMA_MISSING when the contract of facts is not registered */
export async function deadLetterDeskOn(stack: Stack): Promise<DeadLetterDesk> {
  const { codec } = await openCodec(stack)
  return openDesk({ ...stack, codec })
}

/** A desk with a codec of its own. */
export async function openDesk(options: DeskOptions): Promise<DeadLetterDesk> {
  const { broker, clock, log, contracts, codec, instance = `${hostname()}-${process.pid}` } = options
  const producer = new BatchingProducer({ producer: await broker.producer(), clock, log })
  const facts = new FactWriter(producer, codec)
  const mark = (letter: DeadLetter, what: DeadLetterMarking['mark'], note?: string): OutgoingRecord =>
    deadLetterMark(letter.key, {
      agent: letter.agent,
      eventId: letter.eventId,
      generation: letter.generation,
      mark: what,
      ...(note === undefined ? {} : { note }),
    })
  const tell = (letter: DeadLetter, outcome: FactOutcome, detail: Readonly<Record<string, string>>): Promise<void> =>
    facts.append(
      factOf(letter, { outcome, instance, nowMs: clock.nowMs(), detail: { deadLetter: letter.place, ...detail } }),
    )
  return {
    async redrive(letter, by) {
      await producer.append([recordOf(letter, 'redrive')])
      await producer.append([mark(letter, 'redriven')])
      await tell(letter, 'suspended', { action: 'redriven', generation: String(letter.generation), ...actor(by) })
    },
    async discard(letter, reason, by) {
      await producer.append([recordOf(letter, 'release')])
      await producer.append([mark(letter, 'discarded', reason)])
      await tell(letter, 'dead-lettered', { action: 'discarded', reason, ...actor(by) })
    },
    async replace(letter, value, by) {
      const bytes = codec.encode(letter.origin.topic, value)
      checkKey(letter, value, contracts.get(letter.origin.topic).keyField)
      const envelope = replacementOf(letter, bytes, clock.nowMs())
      const body = { key: letter.key, value: bytes, headers: encodeEnvelope(envelope) }
      const [place] = await producer.append([recordOf({ ...letter, ...body, generation: 0, attempts: 0 }, 'redrive')])
      await producer.append([mark(letter, 'replaced', envelope.id)])
      await tell(letter, 'dead-lettered', { action: 'replaced', by: envelope.id, ...actor(by) })
      if (place !== undefined) await facts.append(publishedFact(envelope, place, { instance, nowMs: clock.nowMs() }))
      return envelope.id
    },
    valueOf: (letter) => decode(codec, letter),
    close: () => producer.close(FLUSH_TIMEOUT_MS),
  }
}

/** A name that a person gave; what is absent says that the command line did it. */
function actor(by: string | undefined): Readonly<Record<string, string>> {
  return by === undefined ? {} : { operator: by }
}

function recordOf(letter: DeadLetter, kind: Extract<HandoverKind, 'redrive' | 'release'>): OutgoingRecord {
  const { agent, origin, attempts, generation } = letter
  const handover = { kind, origin, attempt: attempts, tries: 0, tier: 0, generation, dueAtMs: 0 }
  return handoverRecord(agentTopic(agent, 'retry.redrive'), letter, handover)
}

/** Same flow, caused by the event it replaces; effects of both share their keys. */
function replacementOf(letter: DeadLetter, value: Buffer, nowMs: number): Envelope {
  const { envelope, eventId } = letter
  return {
    id: deriveId('edit', eventId, value.toString('base64')),
    type: envelope.type,
    source: SOURCE,
    time: new Date(nowMs).toISOString(),
    flowId: envelope.flowId,
    causes: [eventId],
    hop: envelope.hop + 1,
    originId: envelope.originId ?? eventId,
    ...(envelope.traceparent === undefined ? {} : { traceparent: envelope.traceparent }),
  }
}

/** It takes the place of the old event in the order of its key, so the key must stay. */
function checkKey({ key }: DeadLetter, value: unknown, keyField: string | null): void {
  if (keyField === null) return
  const field = (value as Readonly<Record<string, unknown>>)[keyField]
  if (key === null || String(field) === key.toString('utf8')) return
  const problem = `${keyField} is the key of the record and must stay ${key.toString('utf8')}; publish a new event instead`
  throw new LabanError('LABAN_USAGE', { problem })
}

async function decode(codec: EventCodec, { origin, value }: DeadLetter): Promise<unknown> {
  for (;;) {
    const decoded = codec.decode(origin.topic, value, origin)
    if ('value' in decoded) return decoded.value
    await codec.load(decoded.loadSchemaId)
  }
}

function factOf(
  letter: DeadLetter,
  said: {
    readonly outcome: FactOutcome
    readonly instance: string
    readonly nowMs: number
    readonly detail: Fact['detail']
  },
): Fact {
  const { outcome, instance, nowMs, detail } = said
  const { envelope, origin, key } = letter
  const keyText = key?.toString('utf8') ?? null
  const isEnd = outcome === 'dead-lettered'
  const { flowId, agent, agentVersion, handlingId } = letter
  return momentaryFact(nowMs, {
    ...{ outcome, flowId, agent, agentVersion, instance, handlingId },
    inputs: [
      {
        eventId: letter.eventId,
        topic: origin.topic,
        partition: origin.partition,
        offset: origin.offset,
        hop: envelope.hop,
        source: envelope.source,
        causes: envelope.causes,
        recordedAtMs: origin.timestampMs,
        key: keyText === letter.flowId ? null : keyText,
      },
    ],
    attempt: isEnd ? letter.attempts : letter.attempts + 1,
    errorCode: isEnd ? letter.code : null,
    errorMessage: isEnd ? letter.message.slice(0, 500) : null,
    detail,
  })
}

function publishedFact(
  { id, flowId }: Envelope,
  place: { topic: string; partition: number; offset: number },
  { instance, nowMs }: { readonly instance: string; readonly nowMs: number },
): Fact {
  const outputs = [{ eventId: id, ...place, hash: '', key: null }]
  return momentaryFact(nowMs, { outcome: 'published', flowId, agent: SOURCE, instance, handlingId: id, outputs })
}
