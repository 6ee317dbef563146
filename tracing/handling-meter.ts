/**
 * Counts what one agent of a process has done. The rule it keeps: what counts is the acknowledged fact, so that a number here never
 * says more than the log; and counting is arithmetic on plain numbers, read when somebody asks.
 */
import type { Fact, FactOutcome } from '../contracts/fact.ts'
import { Histogram, type MetricSnapshot } from './metric-snapshot.ts'

/** Counts of one topic. */
class TopicCounts {
  completed = 0
  rejected = 0
  duplicates = 0
  quarantined = 0
  lost = 0
  retries = 0
  deadLetters = 0
  readonly failures = new Map<string, number>()
  readonly suspended = new Map<'sleep' | 'parked', number>()
  readonly members = new Map<'waiting' | 'late', number>()
  readonly completion = new Histogram()
}

const UNKNOWN_CODE = 'unknown'
/** Outcomes that leave the handling where it is. */
const UNFINISHED: ReadonlySet<FactOutcome> = new Set(['published', 'started', 'lost'])

/** See the file's head. One per agent and process. */
export class HandlingMeter {
  readonly #agent: string
  readonly #byTopic = new Map<string, TopicCounts>()
  readonly #duration = new Histogram()
  #takeovers = 0
  #joinsBegun = 0
  #finished = 0

  /** `topics` are those that the agent consumes: their counts are 0 from the start, so that a first failure shows as an increase. */
  constructor(agent: string, topics: readonly string[]) {
    this.#agent = agent
    for (const topic of topics) this.#byTopic.set(topic, new TopicCounts())
  }

  /** Inputs that were finished, in whatever way: what takes lag away. */
  get finished(): number {
    return this.#finished
  }

  /** The agent's function has ended, well or not. */
  ran(durationMs: number): void {
    this.#duration.record(durationMs)
  }

  /** A handling of a dead process goes on here. */
  tookOver(): void {
    this.#takeovers++
  }

  /** Facts that the broker has acknowledged, at a moment (epoch ms). */
  written(facts: readonly Fact[], nowMs: number): void {
    for (const fact of facts) {
      // Of a join the last input is the one that completed it, and whose offset is finished.
      const input = fact.inputs.at(-1)
      const counts = this.#countsOf(input?.topic ?? fact.detail['topic'] ?? '')
      if (fact.outcome === 'completed') {
        counts.completed++
        this.#finished++
        if (input !== undefined) counts.completion.record(nowMs - input.recordedAtMs)
      } else this.#count(fact, counts)
    }
  }

  /** Adds everything that was counted. */
  addTo(snapshot: MetricSnapshot): void {
    const agent = this.#agent
    for (const [topic, counts] of this.#byTopic) addTopic(snapshot, { agent, topic }, counts)
    snapshot.set('laban.handling.finished', { agent }, this.#finished)
    snapshot.set('laban.handling.takeovers', { agent }, this.#takeovers)
    snapshot.set('laban.join.begun', { agent }, this.#joinsBegun)
    snapshot.setHistogram('laban.handling.duration', { agent }, this.#duration)
  }

  #countsOf(topic: string): TopicCounts {
    let counts = this.#byTopic.get(topic)
    if (counts === undefined) this.#byTopic.set(topic, (counts = new TopicCounts()))
    return counts
  }

  #count(fact: Fact, counts: TopicCounts): void {
    const { outcome, detail } = fact
    if (!UNFINISHED.has(outcome) && (outcome !== 'retried' || 'retryTopic' in detail)) this.#finished++
    if (outcome === 'waiting' && detail['have']?.includes(',') === false) this.#joinsBegun++
    COUNTERS[outcome]?.(counts, fact)
  }
}

/** What else there is to count of an outcome. */
const COUNTERS: Readonly<Partial<Record<FactOutcome, (counts: TopicCounts, fact: Fact) => void>>> = {
  rejected: (counts) => counts.rejected++,
  duplicate: (counts) => counts.duplicates++,
  retried: (counts, { errorCode }) => {
    counts.retries++
    add(counts.failures, errorCode ?? UNKNOWN_CODE)
  },
  'dead-lettered': (counts, { errorCode }) => {
    counts.deadLetters++
    add(counts.failures, errorCode ?? UNKNOWN_CODE)
    if (errorCode === 'LABAN_RECORD_QUARANTINED') counts.quarantined++
  },
  suspended: (counts, { detail }) => add(counts.suspended, 'parked' in detail ? 'parked' : 'sleep'),
  waiting: (counts) => add(counts.members, 'waiting'),
  late: (counts) => add(counts.members, 'late'),
  lost: (counts, { detail }) => {
    counts.lost += lostOf(detail)
  },
}

function addTopic(snapshot: MetricSnapshot, labels: { agent: string; topic: string }, counts: TopicCounts): void {
  snapshot.set('laban.handling.completed', labels, counts.completed)
  snapshot.set('laban.handling.rejected', labels, counts.rejected)
  snapshot.set('laban.handling.duplicates', labels, counts.duplicates)
  snapshot.set('laban.handling.quarantined', labels, counts.quarantined)
  snapshot.set('laban.records.lost', labels, counts.lost)
  snapshot.set('laban.handling.retries', labels, counts.retries)
  snapshot.set('laban.handling.dead_letters', labels, counts.deadLetters)
  for (const [code, count] of counts.failures)
    snapshot.set('laban.handling.failures', { ...labels, error_code: code }, count)
  for (const [reason, count] of counts.suspended) snapshot.set('laban.handling.suspended', { ...labels, reason }, count)
  for (const [reason, count] of counts.members) snapshot.set('laban.join.members', { ...labels, reason }, count)
  snapshot.setHistogram('laban.handling.completion', labels, counts.completion)
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function lostOf(detail: Readonly<Record<string, string>>): number {
  const count = Number(detail['to']) - Number(detail['from'])
  return Number.isFinite(count) ? count : 1
}
