/**
 * Collects what one attempt publishes. Everything is encoded and checked when it is said, so that a handler learns of its
 * mistake on the line that made it; nothing leaves before the handler has succeeded.
 */
import { hash } from 'node:crypto'
import { MAX_OUTPUTS_BYTES } from '../../contracts/agent-topics.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import type { TopicContract } from '../../contracts/contract.ts'
import type { EnvelopeBlocks } from '../../contracts/envelope-block.ts'
import { LabanError } from '../../contracts/errors.ts'
import { outputId } from '../../contracts/ids.ts'
import type { HeaderBlock } from '../../contracts/header-block.ts'
import type { RecordToStore } from '../../contracts/record-format.ts'
import type { ProcessSpan, SendSpan } from '../../tracing/event-tracer.ts'

/** The parts of an agent that decide what it may publish. */
export interface OutputPromise {
  readonly name: string
  readonly version: string
  readonly always: readonly string[]
  readonly oneOf: readonly string[]
  readonly maybe: readonly string[]
}

export interface OutputCollectorOptions {
  readonly agent: OutputPromise
  readonly handlingId: string
  readonly flowId: string
  /** Hop of the outputs. */
  readonly hop: number
  readonly causes: readonly string[]
  readonly contractOf: (topic: string) => TopicContract
  readonly codec: EventCodec
  /** Writes the outputs' headers. */
  readonly envelopes: EnvelopeBlocks
  readonly nowMs: () => number
  readonly span: ProcessSpan
}

/** An output in its final bytes. */
export interface Output {
  readonly eventId: string
  readonly record: RecordToStore & { readonly headers: HeaderBlock }
  /** Record key where it is not the flow id. */
  readonly key: string | null
  /** First 16 hex digits of the sha256 of the value. */
  readonly hash: string
  readonly send: SendSpan
}

/** See the file's head. One per attempt. */
export class OutputCollector {
  readonly #options: OutputCollectorOptions
  readonly #outputs: Output[] = []
  #countByTopic: Map<string, number> | undefined
  /** Most handlers publish to one topic and need no map. */
  #firstTopic: string | undefined
  #firstCount = 0
  #hasNames = false
  #bytes = 0
  #isClosed = false

  constructor(options: OutputCollectorOptions) {
    this.#options = options
  }

  /** Adds an output and returns its event id. @throws as documented on `Publish` in context.ts */
  publish(topic: string, value: unknown, options: { name?: string; key?: string } = {}): string {
    const { agent, handlingId, flowId } = this.#options
    if (this.#isClosed) throw this.#broken(`it published ${topic} after it had ended (is an await missing?)`)
    const ordinal = this.#countOf(topic)
    this.#checkAllowed(topic, ordinal)
    const eventId = outputId(agent.name, handlingId, 'handle', topic, options.name ?? String(ordinal))
    if (options.name !== undefined) this.#hasNames = true
    // An ordinal may meet a name, too: two contents under one id are the one thing that must not happen.
    if (this.#hasNames && this.#outputs.some((output) => output.eventId === eventId)) {
      throw this.#broken(`it published ${topic} twice under the name ${options.name ?? ordinal}`)
    }
    const contract = this.#options.contractOf(topic)
    const bytes = this.#options.codec.encode(topic, value)
    const key = options.key ?? keyOf(contract, value, flowId)
    const send = this.#options.span.startSend(topic, eventId, flowId)
    const record = { topic, key, value: bytes, headers: this.#headers(topic, eventId, send) }
    this.#bytes += checkSize(contract, record)
    if (this.#outputs.length > 0 && this.#bytes > MAX_OUTPUTS_BYTES)
      throw this.#broken(
        `its outputs have ${this.#bytes} bytes together, and at most ${MAX_OUTPUTS_BYTES} can be recorded`,
      )
    this.#outputs.push({
      eventId,
      record,
      key: key === flowId ? null : key,
      hash: hash('sha256', bytes, 'hex').slice(0, 16),
      send,
    })
    this.#count(topic, ordinal + 1)
    return eventId
  }

  /** All outputs of a handler that has succeeded. @throws LABAN_HANDLER_OUTPUT when they are not what the agent promised */
  seal(): readonly Output[] {
    this.#isClosed = true
    const { always, oneOf } = this.#options.agent
    const missing = always.find((topic) => this.#countOf(topic) === 0)
    if (missing !== undefined) throw this.#broken(`it did not publish ${missing}, which it always does`)
    const chosen = oneOf.filter((topic) => this.#countOf(topic) > 0)
    if (oneOf.length > 0 && chosen.length !== 1) {
      throw this.#broken(
        `it published ${chosen.length === 0 ? 'none' : chosen.join(' and ')} of ${oneOf.join(', ')} instead of exactly one`,
      )
    }
    return this.#outputs
  }

  /** Ends the attempt without outputs: what it said is dropped, what it says later is refused. */
  discard(error: unknown): void {
    this.#isClosed = true
    for (const output of this.#outputs) output.send.end(undefined, error)
  }

  #countOf(topic: string): number {
    return topic === this.#firstTopic ? this.#firstCount : (this.#countByTopic?.get(topic) ?? 0)
  }

  #count(topic: string, count: number): void {
    this.#firstTopic ??= topic
    if (topic === this.#firstTopic) this.#firstCount = count
    else (this.#countByTopic ??= new Map<string, number>()).set(topic, count)
  }

  #checkAllowed(topic: string, ordinal: number): void {
    const { always, oneOf, maybe } = this.#options.agent
    if (oneOf.includes(topic)) {
      if (ordinal > 0) throw this.#broken(`it published ${topic} twice, which it does once at most`)
      return
    }
    if (!always.includes(topic) && !maybe.includes(topic))
      throw this.#broken(`it published ${topic}, which its produces does not name`)
  }

  #headers(topic: string, eventId: string, send: SendSpan): HeaderBlock {
    const { agent, flowId, causes, hop, nowMs, envelopes } = this.#options
    return envelopes.encode({
      id: eventId,
      type: topic,
      source: agent.name,
      time: isoTime(nowMs()),
      flowId,
      causes,
      hop,
      traceparent: send.traceparent,
      agentVersion: agent.version,
    })
  }

  #broken(problem: string): LabanError {
    return new LabanError('LABAN_HANDLER_OUTPUT', { agent: this.#options.agent.name, problem })
  }
}

/** The record key: the contract's key field, else the flow id. */
export function keyOf(contract: TopicContract, value: unknown, flowId: string): string {
  if (contract.keyField === null) return flowId
  const field = (value as Readonly<Record<string, unknown>>)[contract.keyField]
  if (typeof field === 'string' || typeof field === 'number' || typeof field === 'bigint') return String(field)
  throw new LabanError('LABAN_CONTRACT_VALIDATION', {
    topic: contract.name,
    path: contract.keyField,
    problem: 'the key field must be a string or a number',
  })
}

/** Refuses a record above the limit of its contract; gives its bytes. @throws LABAN_BROKER_MESSAGE_TOO_LARGE */
export function checkSize(contract: TopicContract, record: Output['record']): number {
  const keyBytes = record.key === null ? 0 : Buffer.byteLength(record.key)
  const bytes = 64 + keyBytes + (record.value?.length ?? 0) + record.headers.bytes.length
  if (bytes <= contract.maxRecordBytes) return bytes
  throw new LabanError('LABAN_BROKER_MESSAGE_TOO_LARGE', {
    topic: contract.name,
    bytes,
    maxBytes: contract.maxRecordBytes,
  })
}

let lastTimeMs = NaN
let lastTime = ''

/** RFC 3339; outputs of one turn share their time. */
function isoTime(timeMs: number): string {
  if (timeMs !== lastTimeMs) {
    lastTime = new Date(timeMs).toISOString()
    lastTimeMs = timeMs
  }
  return lastTime
}
