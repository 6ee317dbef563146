/**
 * Decodes fetch answers in place of kafkajs, for the clusters that ask for it. Compaction leaves batches that end in missing
 * records, or hold none, and kafkajs looks only at records: it fetches an empty batch for ever and crawls through a missing tail
 * one offset per request. Here such a batch ends in a control record at its last offset, which kafkajs steps over.
 */
import { LabanError } from '../../../contracts/errors.ts'
import { decodeBatches } from './fast-records/decode-batches.ts'
import {
  CompressionCodecs,
  decodeRecordBatch,
  Decoder,
  type DecodedMessage,
  type DecodedPartition,
  type FetchAnswer,
  type InternalCluster,
  type KafkaDecoder,
  type ProtocolCall,
} from './kafkajs-internals.ts'

/** Who reads and writes records: our own code in one pass, or kafkajs's, which is several times slower. */
export type RecordsCodec = 'fast' | 'kafkajs'

/** The highest version that kafkajs speaks; every broker since Kafka 2.3 knows it. */
const FETCH_VERSION = 11
const MAGIC_AT = 16
/** The record batches of all brokers since 0.11. */
const RECORD_BATCH_MAGIC = 2
const BATCH_HEADER_BYTES = 12
const PARTIAL_BATCH = 'KafkaJSPartialMessageError'

/** Decodes what the brokers of this cluster object answer to fetches. Call it before the cluster connects. */
export function decodeFetchesOf(cluster: InternalCluster, codec: RecordsCodec): void {
  const { connectionPoolBuilder } = cluster
  const build = connectionPoolBuilder.build.bind(connectionPoolBuilder)
  connectionPoolBuilder.build = async (destination) => {
    const pool = await build(destination)
    const send = pool.send.bind(pool)
    pool.send = (call) => send(isFetch(call) ? withDecoding(call, codec) : call)
    return pool
  }
}

/** Decodes a fetch answer of version 11. @source https://kafka.apache.org/protocol#The_Messages_Fetch */
export async function decodeFetchAnswer(payload: Buffer, codec: RecordsCodec): Promise<FetchAnswer> {
  const decoder = new Decoder(payload)
  const clientSideThrottleTime = decoder.readInt32()
  const errorCode = decoder.readInt16()
  decoder.readInt32()
  const responses = await decoder.readArrayAsync(async (topic) => ({
    topicName: topic.readString(),
    partitions: await topic.readArrayAsync((partition) => decodePartition(partition, codec)),
  }))
  return { throttleTime: 0, clientSideThrottleTime, errorCode, responses }
}

function isFetch({ request }: ProtocolCall): boolean {
  return request.apiName === 'Fetch' && request.apiVersion === FETCH_VERSION
}

function withDecoding(call: ProtocolCall, codec: RecordsCodec): ProtocolCall {
  return { ...call, response: { ...call.response, decode: (payload) => decodeFetchAnswer(payload, codec) } }
}

async function decodePartition(decoder: KafkaDecoder, codec: RecordsCodec): Promise<DecodedPartition> {
  const partition = decoder.readInt32()
  const errorCode = decoder.readInt16()
  const highWatermark = decoder.readInt64().toString()
  const lastStableOffset = decoder.readInt64().toString()
  const lastStartOffset = decoder.readInt64().toString()
  const abortedTransactions = decoder.readArray((entry) => ({
    producerId: entry.readInt64().toString(),
    firstOffset: entry.readInt64().toString(),
  }))
  const preferredReadReplica = decoder.readInt32()
  const bytes = decoder.readInt32()
  const records = bytes > 0 ? decoder.readBytes(bytes) : Buffer.alloc(0)
  const messages = codec === 'fast' ? await decodeBatches(records, decompress) : await decodeByKafkaJs(records)
  const offsets = { highWatermark, lastStableOffset, lastStartOffset }
  return { partition, errorCode, ...offsets, abortedTransactions, preferredReadReplica, messages }
}

async function decompress(codec: number, bytes: Buffer): Promise<Buffer> {
  const lookUp = CompressionCodecs[codec as keyof typeof CompressionCodecs] as
    (() => { decompress(bytes: Buffer): Promise<Buffer> }) | undefined
  if (lookUp !== undefined) return lookUp().decompress(bytes)
  const problem = `compression codec ${codec} is not known`
  throw new LabanError('LABAN_BROKER_REFUSED', { operation: 'reading', topic: 'a batch', problem })
}

async function decodeByKafkaJs(buffer: Buffer): Promise<DecodedMessage[]> {
  const batches = new Decoder(buffer)
  if (buffer.length <= MAGIC_AT || buffer.readInt8(MAGIC_AT) !== RECORD_BATCH_MAGIC) return []
  const messages: DecodedMessage[] = []
  while (batches.canReadBytes(BATCH_HEADER_BYTES)) {
    try {
      // One by one: spreading a batch of a hundred thousand records into push() overflows the stack.
      for (const message of withTail(await decodeRecordBatch(batches))) messages.push(message)
    } catch (error) {
      // A fetch may end in the middle of a batch; that one comes with the next fetch.
      if (error instanceof Error && error.name === PARTIAL_BATCH) break
      throw error
    }
  }
  return messages
}

function withTail(batch: {
  firstOffset: string
  lastOffsetDelta: number
  records: DecodedMessage[]
}): DecodedMessage[] {
  const lastOffset = (BigInt(batch.firstOffset) + BigInt(batch.lastOffsetDelta)).toString()
  if (batch.records.at(-1)?.offset === lastOffset) return batch.records
  const { records: _records, ...batchContext } = batch
  const nothing = { timestamp: '0', key: null, value: null, headers: {} }
  return [...batch.records, { ...nothing, offset: lastOffset, isControlRecord: true, batchContext }]
}
