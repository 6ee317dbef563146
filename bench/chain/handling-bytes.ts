/** What handlings leave behind: bytes of each kind of record on the log, and of each entry in Redis. */
import { Redis } from 'ioredis'
import { agentTopic, FACTS_TOPIC } from '../../contracts/contract.ts'
import { encodeBatch } from '../../runtime/adapters/kafka/fast-records/encode-batch.ts'
import type { Broker, BrokerRecord } from '../../runtime/ports/broker.ts'
import { CHAIN, STAGES } from './settings.ts'
import type { RunStack } from './stack.ts'
import type { WorkerSettings } from './worker-protocol.ts'

/** Bytes on average, and how many there are. */
export interface Kept {
  readonly count: number
  readonly bytes: number
}

export interface HandlingBytes {
  /** Records on the log, uncompressed, a batch's head shared by its records. */
  readonly log: { readonly facts: Kept; readonly journal: Kept; readonly outputs: Kept }
  /** Entries of handlings that are done, key included. */
  readonly redis: Kept
}

const SAMPLED_KEYS = 1_000
const SCAN_COUNT = 10_000
const NO_PRODUCER = { producerId: '0', producerEpoch: 0, firstSequence: 0 }

/** Counts what the handlings of a run have left. */
export async function usedByHandlings({ broker }: RunStack, settings: WorkerSettings): Promise<HandlingBytes> {
  const stages = settings.workload.stages
  const journals = stages.map((index) => agentTopic(STAGES[index] ?? '', 'journal'))
  const outputs = stages.map((index) => CHAIN[index + 1] ?? '')
  const log = {
    facts: await onTopics(broker, [FACTS_TOPIC]),
    journal: await onTopics(broker, journals),
    outputs: await onTopics(broker, outputs),
  }
  return { log, redis: await inRedis(settings) }
}

async function onTopics(broker: Broker, topics: readonly string[]): Promise<Kept> {
  let count = 0
  let bytes = 0
  for (const topic of topics) {
    for (const { partition, startOffset, endOffset } of await broker.admin.offsets(topic)) {
      const all = broker.reader.read({ topic, partition, fromOffset: startOffset, toOffset: endOffset })
      for await (const records of all) {
        count += records.length
        bytes += records.length === 0 ? 0 : encodedBytes(records)
      }
    }
  }
  return { count, bytes: count === 0 ? 0 : bytes / count }
}

function encodedBytes(records: readonly BrokerRecord[]): number {
  const messages = records.map(({ key, value, headers, timestampMs }) => ({
    key,
    value,
    headers: headers as Record<string, Buffer>,
    timestamp: timestampMs,
  }))
  return encodeBatch(messages, NO_PRODUCER).length
}

async function inRedis({ redisUrl, namespace }: WorkerSettings): Promise<Kept> {
  const redis = new Redis(redisUrl)
  let count = 0
  let sampled = 0
  let bytes = 0
  let cursor = '0'
  do {
    const [next, keys] = await redis.scanBuffer(cursor, 'MATCH', `{${namespace}:*`, 'COUNT', SCAN_COUNT)
    cursor = next.toString()
    count += keys.length
    for (const key of keys.slice(0, SAMPLED_KEYS - sampled)) {
      bytes += (await redis.call('MEMORY', 'USAGE', key)) as number
      sampled += 1
    }
  } while (cursor !== '0')
  redis.disconnect()
  return { count, bytes: sampled === 0 ? 0 : bytes / sampled }
}

/** Commands that Redis has run since its start, those inside of scripts included. */
export async function redisCommands({ redisUrl }: WorkerSettings): Promise<number> {
  const redis = new Redis(redisUrl)
  const stats = await redis.info('commandstats')
  redis.disconnect()
  return [...stats.matchAll(/:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}
