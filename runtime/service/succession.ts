/**
 * What a handling means for its successors of the same key: a failed one lets them wait, one that is done lets the next go. Each turn
 * is a record in `<agent>.retry.redrive`, appended before the one that passes it on counts as finished.
 */
import { agentTopic } from '../../contracts/contract.ts'
import { headerText } from '../../contracts/envelope.ts'
import type { Released } from '../park/parking.ts'
import type { Appended, OutgoingRecord, TopicPartition } from '../ports/broker.ts'
import type { LanePlace } from '../ports/parking-store.ts'
import { handoverRecord } from '../retry/handover.ts'
import type { HandlingDeps } from './deps.ts'
import { memberRecord, RECORDED_AT } from '../admit/member-format.ts'
import type { Work } from './work.ts'

type Append = (records: readonly OutgoingRecord[]) => Promise<readonly Appended[]>

/** See the file's head. */
export class Succession {
  readonly #deps: HandlingDeps
  readonly #append: Append

  constructor(deps: HandlingDeps, append: Append) {
    this.#deps = deps
    this.#append = append
  }

  /** True when the event may run: nothing of its key waits before it. */
  async admits(work: Work): Promise<boolean> {
    const { parking } = this.#deps
    const place = laneOf(work)
    if (parking === undefined || place === undefined || work.handover !== undefined) return true
    return !parking.mayWait(work.task) || (await parking.admit(place, work.task))
  }

  /** Another owner had this handling: it may have let successors wait. */
  suspect(work: Work): void {
    this.#deps.parking?.suspect(work.task)
  }

  /** The event has failed: appends the records that it is handed over in, and lets its successors wait from before that on. */
  block(work: Work, records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    return this.#block(work, records, false)
  }

  /** As {@link block}, with dead letters: nobody waits longer than those are kept. */
  bury(work: Work, letters: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    return this.#block(work, letters, true)
  }

  async #block(work: Work, records: readonly OutgoingRecord[], isDead: boolean): Promise<readonly Appended[]> {
    const { parking } = this.#deps
    const place = laneOf(work)
    if (parking === undefined || place === undefined) return this.#append(records)
    const appended = await this.#append([...records, await parking.block(place, work.task, isDead)])
    // An index that was lost meanwhile may have been read back from the log without this record.
    await parking.block(place, work.task, isDead)
    return appended
  }

  /** Puts an event that must wait on the log; from then on that record is the work. */
  async park(work: Work): Promise<void> {
    const { parking } = this.#deps
    const place = laneOf(work)
    if (parking === undefined || place === undefined) return
    const next = await parking.store(place, memberRecord(work.task), this.#append)
    if (next !== undefined) await this.#append([this.#turnOf(next)])
  }

  /** The event is done, or given up. */
  async pass(work: Work): Promise<void> {
    const { parking } = this.#deps
    const place = laneOf(work)
    if (parking === undefined || place === undefined) return
    if (work.handover === undefined && !parking.mayWait(work.task)) return
    await this.#passOn(place)
  }

  async #passOn(place: LanePlace): Promise<void> {
    const { parking } = this.#deps
    if (parking === undefined) return
    const { tombstone, next } = await parking.leave(place)
    await this.#append(next === undefined ? [tombstone] : [tombstone, this.#turnOf(next)])
  }

  /** Dead letters that their topic has forgotten: what waits behind them goes on. */
  async passForgotten(at: TopicPartition): Promise<void> {
    const { parking, log } = this.#deps
    for (const lane of (await parking?.forgotten(at)) ?? []) {
      const { topic, partition, offset } = lane
      log.warn('a dead letter is forgotten; what waits behind it goes on', { topic, partition, offset })
      await this.#passOn(lane)
    }
  }

  #turnOf({ place, body }: Released): OutgoingRecord {
    const timestampMs = Number(headerText(body.headers, RECORDED_AT) ?? '0')
    const origin = { topic: place.topic, partition: place.partition, offset: place.offset, timestampMs }
    const handover = { kind: 'parked', origin, attempt: 0, tries: 0, tier: 0, generation: 0, dueAtMs: 0 } as const
    return handoverRecord(agentTopic(this.#deps.agent.name, 'retry.redrive'), body, handover)
  }
}

/** The event in the order of its key; undefined for one without a key, which has no order. */
function laneOf({ task }: Work): LanePlace | undefined {
  const { topic, partition, offset, key } = task
  return key === null ? undefined : { topic, partition, offset, key }
}
