/**
 * How all agents get on, read from the log alone: manifests say who runs, committed offsets what lies before them, facts what they
 * finish. The rule it keeps: progress is what was accepted, never what a handler returned.
 */
import { FACTS_TOPIC } from '../../contracts/contract.ts'
import { FACT_FORMAT_VERSION, type Fact, type FactOutcome } from '../../contracts/fact.ts'
import { isPlatformAgent, type Manifest } from '../../contracts/manifest.ts'
import type { Clock } from '../ports/clock.ts'
import { agentsWithDeadLetters, readDeadLetters } from './dead-letters.ts'
import { lagOf, type AgentLag } from './agent-lag.ts'
import { decodeRecord, readManifests, type LogSource } from './platform-records.ts'
import { TopicFollower } from './topic-follower.ts'

/**
 * - `running`, `draining`, `stopped`: as its instances announce. - `silent`: none of them has been heard of for 30 s.
 * - `stands still`: it has lag, and has finished nothing for ten seconds.
 */
export type AgentState = 'running' | 'stands still' | 'draining' | 'silent' | 'stopped'

/** One agent, now. */
export interface AgentFigures {
  readonly agent: string
  readonly versions: readonly string[]
  readonly state: AgentState
  /** That are alive. */
  readonly instances: number
  /** Accepted completions, over the last ten seconds at most. */
  readonly completedPerSecond: number
  readonly retriedPerSecond: number
  /** Attempts that began and run for longer than two seconds, as their facts say. */
  readonly running: number
  /** Events between the committed offset and the end, and the age of the oldest of them; null when that cannot be read. */
  readonly lag: number
  readonly oldestMs: number | null
  /** Dead letters of which nothing has become yet. */
  readonly deadLetters: number
  /** When the lag is gone at the present pace; null when nothing is finished; 0 without lag, and for laban's own agents. */
  readonly drainMs: number | null
}

/** Instances announce themselves every 10 s; three times that is silence. */
const SILENT_AFTER_MS = 30_000
const WINDOW_MS = 10_000
const LETTERS_EVERY_MS = 15_000
const MAX_FACTS_PER_LOOK = 5_000
/** Of these more follows of the same handling. */
const INTERIM: ReadonlySet<FactOutcome> = new Set(['published', 'started', 'lost'])

interface Counts {
  completed: number
  finished: number
  retried: number
}

/** See the file's head. Look every second or two; the first look knows no rates. */
export class AgentWatch {
  readonly #source: LogSource
  readonly #clock: Clock
  readonly #facts: TopicFollower
  /** What each look has found, within the window. */
  #looks: { readonly atMs: number; readonly byAgent: ReadonlyMap<string, Counts> }[] = []
  /** Long handlings that have begun while this watches, by agent. */
  readonly #running = new Map<string, Set<string>>()
  #letters: { readonly atMs: number; readonly byAgent: ReadonlyMap<string, number> } | undefined

  constructor(source: LogSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
    this.#facts = new TopicFollower(source.broker, FACTS_TOPIC, MAX_FACTS_PER_LOOK)
  }

  /** Every agent that has announced itself, by name. @throws LABAN_BROKER_UNAVAILABLE, LABAN_FORMAT_TOO_NEW */
  async look(): Promise<readonly AgentFigures[]> {
    const [manifests, counts, letters] = await Promise.all([
      readManifests(this.#source),
      this.#countFacts(),
      this.#countLetters(),
    ])
    const nowMs = this.#clock.steadyMs()
    this.#looks.push({ atMs: nowMs, byAgent: counts })
    while ((this.#looks[1]?.atMs ?? nowMs) <= nowMs - WINDOW_MS) this.#looks.shift()
    const agents = [...Map.groupBy(manifests, ({ agent }) => agent)].sort(([a], [b]) => (a < b ? -1 : 1))
    return Promise.all(
      agents.map(async ([agent, own]) => {
        const lag = await lagOf(this.#source.broker, { agent, manifests: own, nowMs: this.#clock.nowMs() })
        return this.#figures(agent, own, { lag, deadLetters: letters.get(agent) ?? 0 })
      }),
    )
  }

  #figures(
    agent: string,
    manifests: readonly Manifest[],
    { lag, deadLetters }: { readonly lag: AgentLag; readonly deadLetters: number },
  ): AgentFigures {
    const alive = manifests.filter((manifest) => this.#stateOf(manifest) === 'running')
    const rates = this.#rates(agent)
    // What laban's own agents finish stands in no fact.
    const isPlatform = isPlatformAgent(agent)
    const isStill = !isPlatform && lag.events > 0 && rates.finished === 0 && rates.overMs >= WINDOW_MS / 2
    const announced = (['running', 'draining', 'silent'] as const).find((state) =>
      manifests.some((manifest) => this.#stateOf(manifest) === state),
    )
    const drainMs =
      lag.events === 0 || isPlatform ? 0 : rates.finished === 0 ? null : (lag.events / rates.finished) * 1_000
    return {
      agent,
      versions: [...new Set((alive.length > 0 ? alive : manifests).map(({ version }) => version))].sort(),
      state: announced === 'running' && isStill ? 'stands still' : (announced ?? 'stopped'),
      instances: alive.length,
      completedPerSecond: rates.completed,
      retriedPerSecond: rates.retried,
      running: this.#running.get(agent)?.size ?? 0,
      ...{ lag: lag.events, oldestMs: lag.oldestMs },
      ...{ deadLetters, drainMs },
    }
  }

  #stateOf({ state, seenAtMs }: Manifest): 'running' | 'draining' | 'silent' | 'stopped' {
    return state !== 'stopped' && this.#clock.nowMs() - seenAtMs > SILENT_AFTER_MS ? 'silent' : state
  }

  /** The first look of the window only tells when it began. */
  #rates(agent: string): Counts & { readonly overMs: number } {
    const overMs = (this.#looks.at(-1)?.atMs ?? 0) - (this.#looks[0]?.atMs ?? 0)
    const sum = { completed: 0, finished: 0, retried: 0 }
    for (const { byAgent } of this.#looks.slice(1)) addCounts(sum, byAgent.get(agent))
    const perSecond = (count: number): number => (overMs === 0 ? 0 : (count * 1_000) / overMs)
    return {
      completed: perSecond(sum.completed),
      finished: perSecond(sum.finished),
      retried: perSecond(sum.retried),
      overMs,
    }
  }

  async #countFacts(): Promise<ReadonlyMap<string, Counts>> {
    const byAgent = new Map<string, Counts>()
    for (const { topic, partition, records, weight } of await this.#facts.look()) {
      for (const record of records) {
        const at = { topic, partition }
        const fact = await decodeRecord<Fact>(this.#source.codec, at, record, FACT_FORMAT_VERSION)
        if (fact === undefined) continue
        const counts = byAgent.get(fact.agent) ?? { completed: 0, finished: 0, retried: 0 }
        byAgent.set(fact.agent, counts)
        count(counts, fact, weight)
        this.#note(fact)
      }
    }
    return byAgent
  }

  #note({ agent, outcome, handlingId }: Fact): void {
    const running = this.#running.get(agent) ?? new Set()
    if (outcome === 'started') this.#running.set(agent, running.add(handlingId))
    else running.delete(handlingId)
  }

  async #countLetters(): Promise<ReadonlyMap<string, number>> {
    const nowMs = this.#clock.steadyMs()
    if (this.#letters !== undefined && nowMs - this.#letters.atMs < LETTERS_EVERY_MS) return this.#letters.byAgent
    const agents = await agentsWithDeadLetters(this.#source)
    const counts = agents.map(async (agent) => {
      const letters = await readDeadLetters(this.#source, agent)
      return [agent, letters.filter(({ status }) => status === 'open').length] as const
    })
    this.#letters = { atMs: nowMs, byAgent: new Map(await Promise.all(counts)) }
    return this.#letters.byAgent
  }
}

function count(counts: Counts, { outcome, detail }: Fact, weight: number): void {
  if (outcome === 'completed') counts.completed += weight
  if (outcome === 'retried') counts.retried += weight
  if (!INTERIM.has(outcome) && (outcome !== 'retried' || 'retryTopic' in detail)) counts.finished += weight
}

function addCounts(sum: Counts, more: Counts | undefined): void {
  sum.completed += more?.completed ?? 0
  sum.finished += more?.finished ?? 0
  sum.retried += more?.retried ?? 0
}
