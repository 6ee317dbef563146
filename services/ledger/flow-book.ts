/**
 * The flows that are under way, with their facts, so that a line is derived again without reading them back. Only facts that are
 * stored are entered; what is left out for lack of room is read from the tables when it is needed.
 */
import type { Fact, Uuid } from '../../contracts/index.ts'
import type { FactRow } from './fact-rows.ts'

/** One flow. */
export interface FlowEntry {
  readonly flowId: Uuid
  readonly partition: number
  /** By `partition/offset`; null for one that could not be decoded. */
  readonly facts: Map<string, Fact | null>
  /** The times between which the records lie. */
  firstAtMs: number
  lastAtMs: number
  /** True when older facts have been looked for. */
  isLoaded: boolean
  /** True when facts may be stored that no line accounts for: the line's times say nothing then. */
  mayHaveMore: boolean
  /** Of the stored line; null when there is none. */
  revision: number | null
  /** As what the flow has ended by the stored line; null when it has not, or there is none. */
  endedAs: string | null
  /** Lowest offset that the stored line does not account for; null when it accounts for all. Infinity: it must be derived anew for another reason. */
  staleFrom: number | null
  touchedAtMs: number
  staleSinceMs: number
}

/** When a line is derived. */
export interface BookLimits {
  /** A flow that has been quiet for so long. */
  readonly quietMs: number
  /** At the latest after so long. */
  readonly latestMs: number
  /** Facts held in memory. */
  readonly maxFacts: number
}

/** See the file's head. */
export class FlowBook {
  readonly #limits: BookLimits
  /** All flows, the one that was touched last at the end. */
  readonly #byTouch = new Map<Uuid, FlowEntry>()
  /** Flows whose line is not up to date, the longest stale first. */
  readonly #stale = new Map<Uuid, FlowEntry>()
  #facts = 0

  constructor(limits: BookLimits) {
    this.#limits = limits
  }

  get staleFlows(): number {
    return this.#stale.size
  }

  get heldFacts(): number {
    return this.#facts
  }

  /** Enters a fact that was just stored. */
  add(row: FactRow, nowMs: number): void {
    const entry = this.#byTouch.get(row.flowId) ?? newEntry(row.flowId, row.partition)
    this.hold(entry, row)
    this.#touch(entry, nowMs)
    this.#mark(entry, row.offset, nowMs)
  }

  /** Enters a fact that was read back. The same one twice is one. */
  hold(entry: FlowEntry, row: FactRow): void {
    const place = `${row.partition}/${row.offset}`
    if (!entry.facts.has(place)) this.#facts++
    entry.facts.set(place, row.fact ?? null)
    entry.firstAtMs = Math.min(entry.firstAtMs, row.atMs)
    entry.lastAtMs = Math.max(entry.lastAtMs, row.atMs)
  }

  /** Enters a flow whose line is to be derived from the tables. */
  revisit(flow: Pick<FlowEntry, 'flowId' | 'partition'>, staleFrom: number, nowMs: number): void {
    const known = this.#byTouch.get(flow.flowId)
    const entry = known ?? newEntry(flow.flowId, flow.partition)
    if (known === undefined) {
      entry.mayHaveMore = true
      this.#touch(entry, nowMs)
    }
    this.#mark(entry, staleFrom, nowMs)
  }

  /** Takes flows that are due; they count as up to date until `putBack`. */
  takeDue(nowMs: number, maxFlows: number): FlowEntry[] {
    const due: FlowEntry[] = []
    for (const entry of this.#stale.values()) {
      if (due.length >= maxFlows || entry.staleSinceMs > nowMs - this.#limits.latestMs) break
      due.push(entry)
    }
    const chosen = new Set(due)
    for (const entry of this.#byTouch.values()) {
      if (due.length >= maxFlows || entry.touchedAtMs > nowMs - this.#limits.quietMs) break
      if (this.#stale.has(entry.flowId) && !chosen.has(entry)) due.push(entry)
    }
    return due
  }

  /** The lines of these flows are about to be derived from what is held now. */
  begin(entries: readonly FlowEntry[]): ReadonlyMap<FlowEntry, number> {
    const staleFrom = new Map(entries.map((entry) => [entry, entry.staleFrom ?? Infinity]))
    for (const entry of entries) {
      entry.staleFrom = null
      this.#stale.delete(entry.flowId)
    }
    return staleFrom
  }

  /** Undoes `begin` after a failure. */
  putBack(begun: ReadonlyMap<FlowEntry, number>, nowMs: number): void {
    for (const [entry, staleFrom] of begun) this.#mark(entry, staleFrom, nowMs)
  }

  /** Somebody else wrote the line, so what is held may not be all there is: it is read from the tables the next time. */
  distrust(entry: FlowEntry): void {
    entry.isLoaded = false
    entry.mayHaveMore = true
  }

  /** Forgets a flow whose line is up to date. */
  drop(entry: FlowEntry): void {
    if (entry.staleFrom !== null || this.#byTouch.get(entry.flowId) !== entry) return
    this.#byTouch.delete(entry.flowId)
    this.#facts -= entry.facts.size
  }

  /** Forgets all flows of a partition that is not ours any more. */
  dropPartition(partition: number): void {
    for (const entry of [...this.#byTouch.values()]) {
      if (entry.partition !== partition) continue
      this.#stale.delete(entry.flowId)
      entry.staleFrom = null
      this.drop(entry)
    }
  }

  /** Makes room: flows that are up to date and were touched longest ago go. */
  trim(): void {
    if (this.#facts <= this.#limits.maxFacts) return
    for (const entry of [...this.#byTouch.values()]) {
      if (this.#facts <= this.#limits.maxFacts) return
      this.drop(entry)
    }
  }

  /** Per partition, the lowest offset that some line does not account for. */
  lowestStale(): Map<number, number> {
    const lowest = new Map<number, number>()
    for (const { partition, staleFrom } of this.#stale.values()) {
      if (staleFrom !== null) lowest.set(partition, Math.min(lowest.get(partition) ?? Infinity, staleFrom))
    }
    return lowest
  }

  #touch(entry: FlowEntry, nowMs: number): void {
    this.#byTouch.delete(entry.flowId)
    this.#byTouch.set(entry.flowId, entry)
    entry.touchedAtMs = nowMs
  }

  #mark(entry: FlowEntry, staleFrom: number, nowMs: number): void {
    if (entry.staleFrom === null) {
      entry.staleSinceMs = nowMs
      this.#stale.set(entry.flowId, entry)
    }
    entry.staleFrom = Math.min(entry.staleFrom ?? Infinity, staleFrom)
  }
}

function newEntry(flowId: Uuid, partition: number): FlowEntry {
  return {
    flowId,
    partition,
    facts: new Map(),
    firstAtMs: Infinity,
    lastAtMs: -Infinity,
    isLoaded: false,
    mayHaveMore: false,
    revision: null,
    endedAs: null,
    staleFrom: null,
    touchedAtMs: 0,
    staleSinceMs: 0,
  }
}
