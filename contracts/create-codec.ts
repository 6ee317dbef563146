/**
 * The codec: synchronous Avro under Confluent framing, always into this process's own schema of a topic. Resolvers are built
 * once per (writer schema, topic); whatever is wrong with foreign bytes ends in an error that names the place, never in a crash.
 */
import type { Type } from 'avsc'
import { holdsCounts, scanAvro } from './avro-scan.ts'
import { avroType } from './avro-type.ts'
import type { Decoded, EventCodec } from './codec.ts'
import type { ContractSet } from './contract-set.ts'
import { FACTS_TOPIC, subjectOf, type TopicContract } from './contract.ts'
import { describeUnknown, isLabanError, LabanError } from './errors.ts'
import type { Fact } from './fact.ts'
import { writeFact } from './fact-bytes.ts'
import { FactDecoder } from './fact-decoder.ts'
import type { SchemaRegistry } from './registry.ts'
import { compileRule, type CompiledRule } from './rules.ts'
import { findMisfit } from './misfit.ts'
import { readSchemaId, WIRE_HEADER_BYTES, writeWireHeader } from './wire-format.ts'

/** Parts of a codec. */
export interface CodecOptions {
  readonly contracts: ContractSet
  /** Asked only by `load`, for writer schemas that are not this process's own. */
  readonly registry: SchemaRegistry
  /** This process's schema ids by topic; see `resolveSchemaIds`. */
  readonly schemaIds: ReadonlyMap<string, number>
  /** @default Date.now */
  readonly nowMs?: () => number
  /** How long an id that the registry does not know is remembered as unknown. @default 60000 */
  readonly unknownIdTtlMs?: number
}

/** Makes the codec of a process. Types and rules of a topic are compiled at its first use. */
export function createCodec(options: CodecOptions): EventCodec {
  return new AvroCodec(options)
}

interface TopicCodec {
  readonly contract: TopicContract
  readonly type: Type
  /** Writes a value and returns where it ends; negative, the room that is left, where there is too little. */
  readonly write: (value: unknown, target: Buffer, at: number) => number
  /** Reads what was written with this process's own schema, where there is a faster way; undefined where it does not know one. */
  readonly readOwn: ((bytes: Buffer, at: number) => unknown) | undefined
  readonly readRules: readonly TopicRule[]
  readonly writeRules: readonly TopicRule[]
  /** By writer schema id. */
  readonly readers: Map<number, Reader>
}

interface TopicRule {
  readonly name: string
  readonly expression: string
  readonly holds: CompiledRule
}

/** How bytes of one writer become values of one topic, or why they cannot. */
type Reader =
  | {
      readonly writer: Type
      readonly resolver: ReturnType<Type['createResolver']> | undefined
      readonly scanFirst: boolean
    }
  | { readonly problem: string }

/** A writer's schema, or why it cannot be used. */
type Writer = { readonly type: Type } | { readonly problem: string }

const SLAB_BYTES = 64 * 1024

class AvroCodec implements EventCodec {
  private readonly contracts: ContractSet
  private readonly registry: SchemaRegistry
  private readonly schemaIds: ReadonlyMap<string, number>
  private readonly nowMs: () => number
  private readonly unknownIdTtlMs: number
  private readonly topics = new Map<string, TopicCodec>()
  private readonly writers = new Map<number, Writer>()
  private readonly loading = new Map<number, Promise<void>>()
  private readonly unknownUntilMs = new Map<number, number>()
  private slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  private slabUsed = 0

  constructor(options: CodecOptions) {
    this.contracts = options.contracts
    this.registry = options.registry
    this.schemaIds = options.schemaIds
    this.nowMs = options.nowMs ?? Date.now
    this.unknownIdTtlMs = options.unknownIdTtlMs ?? 60_000
    for (const [topic, schemaId] of options.schemaIds) {
      this.writers.set(schemaId, writerOf(options.contracts.get(topic).schema))
    }
  }

  encode(topic: string, value: unknown): Buffer {
    const codec = this.topicCodec(topic)
    const schemaId = this.schemaIds.get(topic)
    if (schemaId === undefined) throw new LabanError('LABAN_SCHEMA_MISSING', { topic, subject: subjectOf(topic) })
    const bytes = this.write(codec, value)
    writeWireHeader(bytes, schemaId)
    if (codec.writeRules.length > 0) {
      // Rules see what a reader will see: omitted fields with their defaults.
      const written = (codec.type.decode(bytes, WIRE_HEADER_BYTES) as { value: unknown }).value
      for (const rule of codec.writeRules) checkRule(rule, topic, written)
    }
    return bytes
  }

  decode(topic: string, value: Buffer | null, where: { partition: number; offset: number }): Decoded {
    const codec = this.topicCodec(topic)
    const schemaId = readSchemaId(value)
    if (typeof schemaId === 'string') throw undecodable(topic, where, schemaId)
    const reader = codec.readers.get(schemaId) ?? this.makeReader(codec, schemaId)
    if (reader === undefined) return { loadSchemaId: schemaId }
    if ('problem' in reader) throw undecodable(topic, where, reader.problem)
    const decoded = read(codec, reader, value as Buffer)
    if ('problem' in decoded) throw undecodable(topic, where, decoded.problem, decoded.cause)
    for (const rule of codec.readRules) checkRule(rule, topic, decoded.value)
    return decoded
  }

  async load(schemaId: number): Promise<void> {
    if (this.writers.has(schemaId)) return
    const unknownUntilMs = this.unknownUntilMs.get(schemaId)
    if (unknownUntilMs !== undefined) {
      if (this.nowMs() < unknownUntilMs) throw new LabanError('LABAN_CONTRACT_UNKNOWN_SCHEMA', { schemaId })
      this.unknownUntilMs.delete(schemaId)
    }
    let loading = this.loading.get(schemaId)
    if (loading === undefined) {
      loading = this.fetchWriter(schemaId).finally(() => this.loading.delete(schemaId))
      this.loading.set(schemaId, loading)
    }
    await loading
  }

  private async fetchWriter(schemaId: number): Promise<void> {
    try {
      this.writers.set(schemaId, writerOf(await this.registry.schemaById(schemaId)))
    } catch (error) {
      if (isLabanError(error) && error.code === 'LABAN_CONTRACT_UNKNOWN_SCHEMA') {
        if (this.unknownUntilMs.size >= MAX_UNKNOWN_IDS) this.unknownUntilMs.clear()
        this.unknownUntilMs.set(schemaId, this.nowMs() + this.unknownIdTtlMs)
      }
      throw error
    }
  }

  private topicCodec(topic: string): TopicCodec {
    const known = this.topics.get(topic)
    if (known !== undefined) return known
    const contract = this.contracts.get(topic)
    const rules = contract.rules.map(({ name, expression, on }) => ({
      name,
      expression,
      on,
      holds: compileRule(expression),
    }))
    const type = avroType(contract.schema)
    const codec: TopicCodec = {
      contract,
      type,
      write:
        topic === FACTS_TOPIC
          ? (value, target, at) => writeFact(value as Fact, target, at)
          : (value, target, at) => type.encode(value, target, at),
      readOwn: topic === FACTS_TOPIC ? factReader() : undefined,
      readRules: rules.filter(({ on }) => on.includes('read')),
      writeRules: rules.filter(({ on }) => on.includes('write')),
      readers: new Map(),
    }
    this.topics.set(topic, codec)
    return codec
  }

  private makeReader(codec: TopicCodec, schemaId: number): Reader | undefined {
    const writer = this.writers.get(schemaId)
    if (writer === undefined) return undefined
    const reader = 'problem' in writer ? writer : readerOf(codec.type, writer.type, schemaId)
    codec.readers.set(schemaId, reader)
    return reader
  }

  /** The framed bytes, cut from a slab that several values share; a slab is never written twice. */
  private write(codec: TopicCodec, value: unknown): Buffer {
    const start = this.slabUsed
    let end: number
    try {
      end = codec.write(value, this.slab, start + WIRE_HEADER_BYTES)
    } catch (error) {
      const details = { topic: codec.contract.name, ...findMisfit(codec.type, value, error) }
      throw new LabanError('LABAN_CONTRACT_VALIDATION', details, { cause: error })
    }
    if (end < 0) {
      const neededBytes = this.slab.length - start - end
      this.slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, neededBytes + WIRE_HEADER_BYTES))
      this.slabUsed = 0
      return this.write(codec, value)
    }
    this.slabUsed = end
    return this.slab.subarray(start, end)
  }
}

/** Bound of the memory of unknown ids: garbage can name 2^32 of them. */
const MAX_UNKNOWN_IDS = 10_000

function writerOf(schema: TopicContract['schema']): Writer {
  try {
    return { type: avroType(schema) }
  } catch (error) {
    return { problem: `the writer's schema cannot be used: ${describeUnknown(error)}` }
  }
}

function readerOf(own: Type, writer: Type, schemaId: number): Reader {
  const scanFirst = holdsCounts(writer)
  if (own.equals(writer)) {
    return { writer: own, resolver: undefined, scanFirst }
  }
  try {
    return { writer, resolver: own.createResolver(writer), scanFirst }
  } catch (error) {
    return {
      problem: `schema ${schemaId} (${writer.name ?? writer.typeName}) does not fit this topic: ${describeUnknown(error)}`,
    }
  }
}

type ReadResult = { readonly value: unknown } | { readonly problem: string; readonly cause?: unknown }

function factReader(): (bytes: Buffer, at: number) => Fact | undefined {
  const decoder = new FactDecoder()
  return (bytes, at) => decoder.decode(bytes, at)
}

function read(codec: TopicCodec, reader: Exclude<Reader, { problem: string }>, bytes: Buffer): ReadResult {
  if (reader.resolver === undefined && codec.readOwn !== undefined) {
    const value = codec.readOwn(bytes, WIRE_HEADER_BYTES)
    if (value !== undefined) return { value }
  }
  if (reader.scanFirst) {
    const found = scanAvro(reader.writer, bytes, WIRE_HEADER_BYTES)
    if (found !== undefined) return { problem: `${found.path}: ${found.problem}` }
  }
  try {
    const decoded: { value: unknown; offset: number } = codec.type.decode(bytes, WIRE_HEADER_BYTES, reader.resolver)
    if (decoded.offset === bytes.length) return { value: decoded.value }
  } catch (error) {
    return { problem: explain(reader.writer, bytes, describeUnknown(error)), cause: error }
  }
  return { problem: explain(reader.writer, bytes, 'its length does not fit its schema') }
}

function explain(writer: Type, bytes: Buffer, fallback: string): string {
  const found = scanAvro(writer, bytes, WIRE_HEADER_BYTES)
  return found === undefined ? fallback : `${found.path}: ${found.problem}`
}

function undecodable(
  topic: string,
  where: { partition: number; offset: number },
  problem: string,
  cause?: unknown,
): LabanError {
  const { partition, offset } = where
  return new LabanError('LABAN_CONTRACT_DECODE', { topic, partition, offset, problem }, { cause })
}

function checkRule(rule: TopicRule, topic: string, value: unknown): void {
  let cause: unknown
  try {
    if (rule.holds(value)) return
  } catch (error) {
    cause = error
  }
  const because = cause === undefined ? '' : ` (${describeUnknown(cause)})`
  const expression = `${rule.expression}${because}`
  throw new LabanError(
    'LABAN_CONTRACT_RULE',
    { topic, rule: rule.name, expression },
    cause === undefined ? {} : { cause },
  )
}
