/** What one agent of this process is doing, as metrics: what its meter has counted, and figures taken when somebody asks. */
import type { HandlingMeter } from '../../tracing/handling-meter.ts'
import type { MetricSnapshot } from '../../tracing/metric-snapshot.ts'
import type { Agent } from '../agent.ts'
import type { PartitionFigures } from '../consume/partition.ts'
import type { Parking } from '../park/parking.ts'
import type { BrokerAdmin } from '../ports/broker.ts'
import type { Clock } from '../ports/clock.ts'
import type { AgentRunner, AgentStatus } from './agent-runner.ts'
import { FinishRate } from './finish-rate.ts'
import { SlowFigure } from './slow-figure.ts'

export interface AgentMetricsOptions {
  readonly agent: Agent
  readonly runner: AgentRunner
  readonly meter: HandlingMeter
  readonly parking: Parking | undefined
  readonly admin: Pick<BrokerAdmin, 'offsets'>
  readonly clock: Clock
  /** Records that may be open at once. */
  readonly maxOpen: number
}

/** What holds up all agents of the process. */
export interface ProcessState {
  readonly isStoreAway: boolean
  readonly isDraining: boolean
}

/** One per agent and process. */
export class AgentMetrics {
  readonly #options: AgentMetricsOptions
  readonly #rate: FinishRate
  readonly #parkedKeys: SlowFigure<number>
  readonly #ends: SlowFigure<ReadonlyMap<string, number>>

  constructor(options: AgentMetricsOptions) {
    const { clock, meter } = options
    this.#options = options
    this.#rate = new FinishRate(clock, () => meter.finished)
    this.#parkedKeys = new SlowFigure(clock, 0, () => this.#countParkedKeys())
    this.#ends = new SlowFigure(clock, NO_ENDS, () => this.#askForEnds())
  }

  /** Adds everything that is known of the agent. */
  async addTo(snapshot: MetricSnapshot, state: ProcessState): Promise<void> {
    const { agent, runner, meter, parking } = this.#options
    const { status, partitions } = runner
    const [parkedKeys, ends] = await Promise.all([
      parking === undefined ? 0 : this.#parkedKeys.read(),
      partitions.some(isUnsure) ? this.#ends.read() : NO_ENDS,
    ])
    meter.addTo(snapshot)
    snapshot.set('laban.agent.info', { agent: agent.name, version: agent.version }, 1)
    snapshot.set('laban.handling.parked_keys', { agent: agent.name }, parkedKeys)
    this.#addStatus(snapshot, status)
    this.#addLag(snapshot, partitions, ends)
    addPauses(snapshot, status, partitions, state)
    addStandstills(snapshot, agent, status)
  }

  #addStatus(snapshot: MetricSnapshot, status: AgentStatus): void {
    const { agent, runner, clock, maxOpen } = this.#options
    const labels = { agent: agent.name }
    const { oldestAtMs } = runner
    const ageMs = oldestAtMs === undefined ? 0 : Math.max(0, clock.nowMs() - oldestAtMs)
    snapshot.set('laban.agent.consuming', labels, Number(status.isConsuming))
    snapshot.set('laban.handling.in_progress', labels, status.running)
    snapshot.set('laban.handling.limit', labels, agent.maxInFlight)
    snapshot.set('laban.handling.oldest_age', labels, ageMs / 1_000)
    snapshot.set('laban.handling.sleeping', labels, status.sleeping)
    snapshot.set('laban.records.open', labels, status.open)
    snapshot.set('laban.records.limit', labels, maxOpen)
    snapshot.set('laban.publish.blocked', labels, status.blocked)
  }

  #addLag(snapshot: MetricSnapshot, partitions: readonly PartitionFigures[], ends: ReadonlyMap<string, number>): void {
    const { agent } = this.#options
    let all = 0
    for (const topic of agent.topics) {
      let lag = 0
      for (const at of partitions) if (at.topic === topic) lag += lagOf(at, ends)
      snapshot.set('laban.consumer.lag', { agent: agent.name, topic }, lag)
      all += lag
    }
    const perSecond = this.#rate.read()
    if (all > 0 && perSecond === undefined) return
    snapshot.set('laban.consumer.drain_eta', { agent: agent.name }, all === 0 ? 0 : all / (perSecond ?? 0))
  }

  async #countParkedKeys(): Promise<number> {
    const { runner, parking } = this.#options
    if (parking === undefined) return 0
    const counts = await Promise.all(runner.partitions.map((at) => parking.countKeys(at)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async #askForEnds(): Promise<ReadonlyMap<string, number>> {
    const { runner, admin } = this.#options
    const topics = new Set(runner.partitions.filter(isUnsure).map(({ topic }) => topic))
    const ends = new Map<string, number>()
    for (const topic of topics)
      for (const { partition, endOffset } of await admin.offsets(topic)) ends.set(`${topic}/${partition}`, endOffset)
    return ends
  }
}

const NO_ENDS: ReadonlyMap<string, number> = new Map()

/** Nothing is fetched of it now, or nothing has been yet, so its end has to be asked for. */
function isUnsure({ isPaused, endOffset }: PartitionFigures): boolean {
  return isPaused || endOffset === undefined
}

function lagOf(at: PartitionFigures, ends: ReadonlyMap<string, number>): number {
  const asked = isUnsure(at) ? ends.get(`${at.topic}/${at.partition}`) : undefined
  const end = Math.max(at.endOffset ?? 0, asked ?? 0)
  return Math.max(0, end - at.nextOffset) + at.open
}

function addPauses(
  snapshot: MetricSnapshot,
  status: AgentStatus,
  partitions: readonly PartitionFigures[],
  { isStoreAway, isDraining }: ProcessState,
): void {
  const reasons = {
    failing: status.failing !== undefined,
    'cut-off': status.isCutOff,
    store: isStoreAway,
    'publish-blocked': status.blocked > 0,
    room: partitions.some(({ isPaused, limit }) => isPaused && limit === undefined),
    pinned: partitions.some(({ limit }) => limit !== undefined),
    draining: isDraining,
  }
  for (const [reason, isPaused] of Object.entries(reasons))
    snapshot.set('laban.agent.paused', { agent: status.agent, reason }, Number(isPaused))
}

function addStandstills(snapshot: MetricSnapshot, agent: Agent, { standstills }: AgentStatus): void {
  for (const topic of agent.topics) {
    const standing = standstills.filter((standstill) => standstill.topic === topic)
    const longestMs = Math.max(0, ...standing.map(({ standsForMs }) => standsForMs))
    snapshot.set('laban.partition.standstills', { agent: agent.name, topic }, standing.length)
    snapshot.set('laban.partition.standstill_age', { agent: agent.name, topic }, longestMs / 1_000)
  }
}
