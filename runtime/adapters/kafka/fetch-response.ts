/**
 * Guard against lost tails: compaction leaves batches that end in missing records, or hold none, and kafkajs looks only at
 * records. It fetches an empty batch for ever and crawls through a missing tail one offset per request. Here each batch whose
 * last offset has no record gets a control record there, which kafkajs steps over and never delivers.
 */
import {
  decodeRecordBatch,
  Decoder,
  requests,
  type DecodedMessage,
  type DecodedPartition,
  type FetchAnswer,
  type KafkaDecoder,
  type RequestDefinition,
} from './kafkajs-internals.ts'

/** The highest version that kafkajs speaks; every broker since Kafka 2.3 knows it. */
const GUARDED_VERSION = 11
const MAGIC_AT = 16
/** The record batches of all brokers since 0.11. */
const RECORD_BATCH_MAGIC = 2
const BATCH_HEADER_BYTES = 12
const PARTIAL_BATCH = 'KafkaJSPartialMessageError'

let installed = false

/** Replaces the decoding of fetch answers for all clients of this process; calling it again changes nothing. */
export function installFetchResponseGuard(): void {
  const original = requests['Fetch']
  if (installed || original === undefined) return
  installed = true
  const guarded: RequestDefinition = {
    versions: original.versions,
    protocol({ version }) {
      const build = original.protocol({ version })
      if (version !== GUARDED_VERSION) return build
      return (parameters) => {
        const call = build(parameters)
        return { ...call, response: { decode: decodeFetchAnswer, parse: call.response.parse } }
      }
    },
  }
  requests['Fetch'] = guarded
}

/** Decodes a fetch answer of version 11. @source https://kafka.apache.org/protocol#The_Messages_Fetch */
export async function decodeFetchAnswer(
  payload: Buffer,
): Promise<FetchAnswer & { readonly errorCode: number; readonly throttleTime: number }> {
  const decoder = new Decoder(payload)
  const clientSideThrottleTime = decoder.readInt32()
  const errorCode = decoder.readInt16()
  decoder.readInt32()
  const responses = await decoder.readArrayAsync(async (topic) => ({
    topicName: topic.readString(),
    partitions: await topic.readArrayAsync(decodePartition),
  }))
  return { throttleTime: 0, clientSideThrottleTime, errorCode, responses }
}

async function decodePartition(decoder: KafkaDecoder): Promise<DecodedPartition & Readonly<Record<string, unknown>>> {
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
  const messages = await decodeRecords(decoder)
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    lastStartOffset,
    abortedTransactions,
    preferredReadReplica,
    messages,
  }
}

async function decodeRecords(decoder: KafkaDecoder): Promise<DecodedMessage[]> {
  const bytes = decoder.readInt32()
  if (bytes <= 0) return []
  const buffer = decoder.readBytes(bytes)
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
  const marker = {
    offset: lastOffset,
    timestamp: '0',
    key: null,
    value: null,
    headers: {},
    isControlRecord: true,
    batchContext,
  }
  return [...batch.records, marker]
}
