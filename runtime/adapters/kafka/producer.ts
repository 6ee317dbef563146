/**
 * The idempotent producer. One request is outstanding per partition, its retries included, and it is repeated with the same
 * sequence numbers, so that a lost acknowledgement neither loses, doubles nor reorders a record. After any failure that is
 * handed to the caller the identity is given up: a sequence number that may have been used is never used for other records.
 */
import { partitionOfKey } from '../../../contracts/murmur2.ts'
import { isLabanError, LabanError } from '../../../contracts/errors.ts'
import type { Appended, BrokerProducer, OutgoingRecord } from '../../ports/broker.ts'
import { delay, type Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { mayPass } from './kafka-errors.ts'
import { createErrorFromCode, type InternalBroker } from './kafkajs-internals.ts'
import type { PhysicalNames } from './physical-names.ts'
import { halve, placeRecord, toQueues, type PartitionQueue, type PendingBatch } from './produce-batches.ts'
import { produce, type PartitionAnswer } from './produce-call.ts'
import type { ProducerIdentity } from './produced.ts'
import { maxRecordBytesOf } from './topic-configs.ts'

/** What a producer works with; it owns the connections and closes them. */
export interface ProducerParts {
  readonly access: ClusterAccess
  readonly names: PhysicalNames
  readonly clock: Clock
  readonly logger: Logger
  /** How long one send is repeated. @default 30000 */
  readonly deliveryTimeoutMs?: number
  readonly onClosed?: () => void
}

const DELIVERY_TIMEOUT_MS = 30_000
const BROKER_TIMEOUT_MS = 10_000
/** Below the 100 MB that a broker takes in one request, and small enough not to hold up others. */
const MAX_REQUEST_BYTES = 8_000_000
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1_000
const SEQUENCE_MASK = 0x7fffffff
/** New identities within one send; more means that something else is wrong. */
const MAX_IDENTITIES = 5

/** MESSAGE_TOO_LARGE and RECORD_LIST_TOO_LARGE. */
const TOO_LARGE: ReadonlySet<number> = new Set([10, 18])
/** The batch is on the log and the broker no longer knows where: repeating it tells no more. */
const DUPLICATE_SEQUENCE = 46
/** OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, UNKNOWN_PRODUCER_ID: the broker lost or fenced our state. */
const IDENTITY_LOST: ReadonlySet<number> = new Set([45, 47, 49, 59])

/** What became of the first batch of a partition. */
type Outcome =
  | { readonly kind: 'appended'; readonly baseOffset: number }
  | { readonly kind: 'again'; readonly error: unknown }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'identity-lost'; readonly error: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }

interface Sending {
  readonly open: Set<PartitionQueue>
  readonly appended: Appended[]
  /** By the steady clock. */
  readonly deadlineAtMs: number
  identities: number
  pauseMs: number
  error: LabanError | undefined
}

/** A producer with its own connections. */
export class KafkaProducer implements BrokerProducer {
  readonly #parts: ProducerParts
  readonly #sequences = new Map<string, number>()
  #identity: ProducerIdentity | undefined
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(parts: ProducerParts) {
    this.#parts = parts
  }

  /** A second send waits for the first: two at once could be appended in either order. */
  send(records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    const sent = this.#last.then(() => this.#send(records))
    this.#last = sent.catch(() => undefined)
    return sent
  }

  async partitionFor(topic: string, key: Buffer | string): Promise<number> {
    const { access, names } = this.#parts
    const partitions = await access.partitionsOf(names.topic(topic), { operation: 'produce', topic })
    return partitionOfKey(key, partitions.length)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#last
    await this.#parts.access.close()
    this.#parts.onClosed?.()
  }

  async #send(records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    const { access, clock } = this.#parts
    if (this.#isClosed) throw access.error(new TypeError('the producer is closed'), { operation: 'produce' })
    const nowMs = clock.nowMs()
    const partitionCounts = await this.#partitionCounts(records)
    const placed = records.map((record, index) =>
      placeRecord(record, index, partitionOf(record, partitionCounts), nowMs),
    )
    const sending: Sending = {
      open: new Set(toQueues(placed)),
      appended: [],
      deadlineAtMs: clock.steadyMs() + (this.#parts.deliveryTimeoutMs ?? DELIVERY_TIMEOUT_MS),
      identities: 0,
      pauseMs: FIRST_PAUSE_MS,
      error: undefined,
    }
    while (sending.open.size > 0) await this.#round(sending)
    if (sending.error !== undefined) {
      this.#giveUpIdentity()
      throw sending.error
    }
    return sending.appended
  }

  /** Of the topics that have records whose key decides. */
  async #partitionCounts(records: readonly OutgoingRecord[]): Promise<ReadonlyMap<string, number>> {
    const { access, names } = this.#parts
    const counts = new Map<string, number>()
    for (const { topic, partition } of records) {
      if (partition !== undefined || counts.has(topic)) continue
      const found = await access.partitionsOf(names.topic(topic), { operation: 'produce', topic })
      counts.set(topic, found.length)
    }
    return counts
  }

  /** Sends the first batch of every partition, as far as they fit into a request, and takes in what became of each. */
  async #round(sending: Sending): Promise<void> {
    const heads = firstBatches(sending.open)
    let mustPause = false
    for (const [queue, outcome] of await this.#produce(heads, sending.deadlineAtMs)) {
      mustPause = (await this.#settle(sending, queue, outcome)) || mustPause
    }
    if (!mustPause) return
    await delay(this.#parts.clock, sending.pauseMs)
    sending.pauseMs = Math.min(sending.pauseMs * 2, LONGEST_PAUSE_MS)
  }

  /** True when the batch is to be sent again after a pause. */
  async #settle(sending: Sending, queue: PartitionQueue, outcome: Outcome): Promise<boolean> {
    const [head] = queue.batches
    if (head === undefined) return false
    if (outcome.kind === 'appended') {
      this.#accept(sending, queue, head, outcome.baseOffset)
      return false
    }
    if (outcome.kind === 'too-large') {
      const halves = halve(head)
      if (halves !== undefined) queue.batches.splice(0, 1, ...halves)
      else this.#fail(sending, queue, await this.#tooLarge(queue.topic, head))
      return false
    }
    if (outcome.kind === 'failed' || this.#isHopeless(sending, outcome.kind)) {
      this.#fail(sending, queue, outcome.error)
      return false
    }
    this.#parts.access.forget(this.#parts.names.topic(queue.topic))
    return true
  }

  #isHopeless(sending: Sending, kind: 'again' | 'identity-lost'): boolean {
    if (kind === 'identity-lost') {
      this.#giveUpIdentity()
      sending.identities += 1
      if (sending.identities > MAX_IDENTITIES) return true
    }
    return this.#isClosed || this.#parts.clock.steadyMs() + sending.pauseMs > sending.deadlineAtMs
  }

  #accept(sending: Sending, queue: PartitionQueue, head: PendingBatch, baseOffset: number): void {
    const { topic, partition } = queue
    for (const [position, { index }] of head.records.entries()) {
      sending.appended[index] = { topic, partition, offset: baseOffset + position }
    }
    const name = sequenceName(queue)
    this.#sequences.set(name, ((this.#sequences.get(name) ?? 0) + head.records.length) & SEQUENCE_MASK)
    queue.batches.shift()
    if (queue.batches.length === 0) sending.open.delete(queue)
  }

  /** The rest of the partition is not sent either: it would overtake what failed. */
  #fail(sending: Sending, queue: PartitionQueue, error: unknown): void {
    sending.open.delete(queue)
    const attempted = { operation: 'produce', topic: queue.topic }
    sending.error ??= isLabanError(error) ? error : this.#parts.access.error(error, attempted)
  }

  async #produce(
    queues: readonly PartitionQueue[],
    deadlineAtMs: number,
  ): Promise<readonly (readonly [PartitionQueue, Outcome])[]> {
    let identity: ProducerIdentity
    try {
      identity = await this.#identify(deadlineAtMs)
    } catch (error) {
      return queues.map((queue) => [queue, toOutcome(error)])
    }
    const outcomes: (readonly [PartitionQueue, Outcome])[] = []
    const byLeader = new Map<InternalBroker, PartitionQueue[]>()
    for (const queue of queues) {
      try {
        const leader = await this.#leaderOf(queue)
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), queue])
      } catch (error) {
        outcomes.push([queue, toOutcome(error)])
      }
    }
    const sent = await Promise.all([...byLeader].map(([leader, own]) => this.#produceTo(leader, identity, own)))
    return [...outcomes, ...sent.flat()]
  }

  #leaderOf({ topic, partition }: PartitionQueue): Promise<InternalBroker> {
    return this.#parts.access.leaderOf(this.#parts.names.topic(topic), partition, { operation: 'produce', topic })
  }

  async #produceTo(
    leader: InternalBroker,
    identity: ProducerIdentity,
    queues: readonly PartitionQueue[],
  ): Promise<readonly (readonly [PartitionQueue, Outcome])[]> {
    const batches = queues.map((queue) => ({
      physicalTopic: this.#parts.names.topic(queue.topic),
      partition: queue.partition,
      messages: queue.batches[0]?.records.map(({ message }) => message) ?? [],
      firstSequence: this.#sequences.get(sequenceName(queue)) ?? 0,
    }))
    try {
      const answers = await produce(leader, identity, batches, {
        timeoutMs: BROKER_TIMEOUT_MS,
        codec: this.#parts.access.records,
      })
      return queues.map((queue, index) => [queue, outcomeOf(answers[index])])
    } catch (error) {
      return queues.map((queue) => [queue, toOutcome(error)])
    }
  }

  async #identify(deadlineAtMs: number): Promise<ProducerIdentity> {
    if (this.#identity !== undefined) return this.#identity
    const { access, clock } = this.#parts
    const timeoutMs = deadlineAtMs - clock.steadyMs()
    this.#identity = await access.retry({ operation: 'open a producer', timeoutMs }, async () => {
      const broker = await access.anyBroker()
      return broker.initProducerId({ transactionTimeout: BROKER_TIMEOUT_MS })
    })
    return this.#identity
  }

  #giveUpIdentity(): void {
    this.#identity = undefined
    this.#sequences.clear()
  }

  async #tooLarge(topic: string, { records }: PendingBatch): Promise<LabanError> {
    const maxBytes = await maxRecordBytesOf(this.#parts.access, this.#parts.names.topic(topic))
    return new LabanError('LABAN_BROKER_MESSAGE_TOO_LARGE', { topic, bytes: records[0]?.bytes ?? 0, maxBytes })
  }
}

function partitionOf({ topic, partition, key }: OutgoingRecord, counts: ReadonlyMap<string, number>): number {
  if (partition !== undefined) return partition
  if (key !== null) return partitionOfKey(key, counts.get(topic) ?? 1)
  throw refused(topic, 'a record without a key needs a partition')
}

function firstBatches(open: ReadonlySet<PartitionQueue>): readonly PartitionQueue[] {
  const heads: PartitionQueue[] = []
  let bytes = 0
  for (const queue of open) {
    bytes += queue.batches[0]?.bytes ?? 0
    if (heads.length > 0 && bytes > MAX_REQUEST_BYTES) break
    heads.push(queue)
  }
  return heads
}

function outcomeOf(answer: PartitionAnswer | undefined): Outcome {
  // An answer without this partition says nothing about it; the same sequence numbers make it safe to ask again.
  if (answer === undefined)
    return { kind: 'again', error: new TypeError('the broker did not answer for this partition') }
  if (answer.errorCode === 0) return { kind: 'appended', baseOffset: answer.baseOffset }
  if (TOO_LARGE.has(answer.errorCode)) return { kind: 'too-large' }
  const error = createErrorFromCode(answer.errorCode)
  if (answer.errorCode === DUPLICATE_SEQUENCE) return { kind: 'failed', error }
  return IDENTITY_LOST.has(answer.errorCode) ? { kind: 'identity-lost', error } : toOutcome(error)
}

function toOutcome(error: unknown): Outcome {
  return { kind: mayPass(error) ? 'again' : 'failed', error }
}

function sequenceName({ topic, partition }: PartitionQueue): string {
  return `${partition}/${topic}`
}

function refused(topic: string, problem: string): LabanError {
  return new LabanError('LABAN_BROKER_REFUSED', { operation: 'produce', topic, problem })
}
