/** What a diagnosis looks things up in: the graph of the flow, and who of its agents is alive. Judges nothing but life. */
import { outputsOf } from '../../contracts/agent-shape.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { Manifest } from '../../contracts/manifest.ts'
import { positionText } from '../event-drafts.ts'
import type { FlowEvent, FlowGraph, FlowHandling, LogPosition } from '../flow-graph.ts'
import { Subscriptions } from '../subscriptions.ts'
import type { AgentSeen, HandlingSeen, LeaseSeen, Observations, PartitionSeen } from './observations.ts'

/**
 * - `alive`: its lease is renewed. - `overdue`: a renewal is missing. - `gone`: its lease has ended without a word.
 * - `forgotten`: it was heard of after its lease can have been renewed for the last time: the store has lost the lease.
 * - `silent`: nothing but its manifest is known, and that is old. - `stopped`: it has said so. - `over`: its run has ended.
 */
export type Life = 'alive' | 'forgotten' | 'overdue' | 'gone' | 'silent' | 'stopped' | 'over'

/** One announced process of an agent. */
export interface Instance {
  readonly manifest: Manifest
  readonly life: Life
  /** Since the last renewal of its lease; null when unknown. */
  readonly renewedAgoMs: number | null
  /** Until its lease ends by itself; null when unknown or gone. */
  readonly leaseLeftMs: number | null
  /** What it says of itself, by code. */
  readonly problems: Readonly<Record<string, string>>
}

/** Manifests are announced every 10 s; three times that is silence. */
const SILENT_AFTER_MS = 30_000
/** An announcement that is older than this says nothing of now. */
const ANNOUNCED_WITHIN_MS = 13_000
/** Announced later than this from now: its clock is another one, and its times tell nothing of ours. */
const MOST_SKEW_MS = 2_000
const DEFAULT_LEASE_MS = 10_000
/** A lease is renewed every third of it; a busy process may be late by this much. */
const RENEWAL_SLACK_MS = 700

const NOTHING_SEEN: HandlingSeen = {
  claim: null,
  isInputFinished: null,
  steps: [],
  predecessor: null,
  deadLetter: undefined,
  runningAhead: 0,
}

/** See the file's head. */
export class World {
  readonly graph: FlowGraph
  readonly seen: Observations
  readonly subscriptions: Subscriptions
  readonly #events: ReadonlyMap<Uuid, FlowEvent>
  #handlings: ReadonlyMap<string, FlowHandling> | undefined
  readonly #instances = new Map<string, readonly Instance[]>()

  constructor(graph: FlowGraph, seen: Observations) {
    this.graph = graph
    this.seen = seen
    this.subscriptions = new Subscriptions(seen.manifests)
    this.#events = new Map(graph.events.map((event) => [event.id, event]))
  }

  event(id: Uuid): FlowEvent | undefined {
    return this.#events.get(id)
  }

  handling(key: string): FlowHandling | undefined {
    this.#handlings ??= new Map(this.graph.handlings.map((handling) => [handling.key, handling]))
    return this.#handlings.get(key)
  }

  agent(name: string): AgentSeen | undefined {
    return this.seen.agents.get(name)
  }

  observed(handling: FlowHandling): HandlingSeen {
    return this.seen.handlings.get(handling.key) ?? NOTHING_SEEN
  }

  partition(agent: string, at: LogPosition | null | undefined): PartitionSeen | undefined {
    if (at === null || at === undefined) return undefined
    return this.agent(agent)?.partitions.get(`${at.topic}/${at.partition}`)
  }

  /** The event that a handling waits to handle: for a join the latest of its members. */
  inputOf(handling: FlowHandling): FlowEvent | undefined {
    return handling.inputs.map((id) => this.event(id)).findLast((event) => event !== undefined)
  }

  /** When an event was appended, or, where only facts tell of it, when it was published; null when unknown. */
  recordedAt(event: FlowEvent): number | null {
    if (event.recordedAtMs !== null) return event.recordedAtMs
    if (event.publishedBy !== null) return this.handling(event.publishedBy)?.endedAtMs ?? null
    return event.hop === 0 ? this.graph.startedAtMs : null
  }

  /** All processes that have announced this agent, the newest first. */
  instances(agent: string): readonly Instance[] {
    const known = this.#instances.get(agent)
    if (known !== undefined) return known
    const own = this.seen.manifests.filter((manifest) => manifest.agent === agent)
    const instances = own.toSorted((a, b) => b.seenAtMs - a.seenAtMs).map((manifest) => this.#instance(manifest))
    this.#instances.set(agent, instances)
    return instances
  }

  alive(agent: string): readonly Instance[] {
    return this.instances(agent).filter(({ life }) => life === 'alive')
  }

  /** The process with this name, whichever agent it was announced for. */
  process(instance: string): Instance | undefined {
    const manifest = this.seen.manifests.find((each) => each.instance === instance)
    return manifest === undefined ? undefined : this.#instance(manifest)
  }

  /** Agents that announce this topic among their outputs. */
  producersOf(topic: string): readonly string[] {
    const producing = this.seen.manifests.filter((manifest) => outputsOf(manifest).includes(topic))
    return [...new Set(producing.map(({ agent }) => agent))].sort()
  }

  /** The newest announcement of an agent. */
  newest(agent: string): Manifest | undefined {
    return this.instances(agent)[0]?.manifest
  }

  #instance(manifest: Manifest): Instance {
    const { nowMs, leases, isOver } = this.seen
    const lease = leases.get(manifest.instance)
    const problems =
      lease === undefined || lease.remainingMs === null ? manifest.problems : problemsOf(manifest, lease, nowMs)
    const base = { manifest, problems: problems ?? {}, renewedAgoMs: null, leaseLeftMs: null }
    if (manifest.state === 'stopped') return { ...base, life: 'stopped' }
    if (isOver) return { ...base, life: 'over' }
    if (lease !== undefined && isWithoutStore(manifest, lease, nowMs)) {
      return { ...base, problems: manifest.problems ?? {}, life: 'alive' }
    }
    if (lease === undefined) {
      return { ...base, life: nowMs - manifest.seenAtMs > SILENT_AFTER_MS ? 'silent' : 'alive' }
    }
    const leaseMs = leaseMsOf(manifest)
    if (lease.remainingMs === null) {
      // Whoever announced itself was alive then, so its lease could not end before two thirds of it had passed since.
      const ageMs = nowMs - manifest.seenAtMs
      const isForgotten = ageMs > -MOST_SKEW_MS && ageMs < (leaseMs * 2) / 3 - RENEWAL_SLACK_MS
      return { ...base, life: isForgotten ? 'forgotten' : 'gone' }
    }
    const renewedAgoMs = Math.max(0, leaseMs - lease.remainingMs)
    const life = renewedAgoMs > leaseMs / 3 + RENEWAL_SLACK_MS ? 'overdue' : 'alive'
    return { ...base, life, renewedAgoMs, leaseLeftMs: lease.remainingMs }
  }
}

/** Where an event lies, as text; its topic when that is not known. */
export function placeOf(event: FlowEvent): string {
  return event.position === null ? event.topic : positionText(event.position)
}

/** Two channels tell of problems: manifests, which need the brokers, and leases, which need the store. The newer one counts. */
function problemsOf(manifest: Manifest, lease: LeaseSeen, nowMs: number): Readonly<Record<string, string>> {
  const renewedAtMs = nowMs - (leaseMsOf(manifest) - (lease.remainingMs ?? 0))
  return renewedAtMs > manifest.seenAtMs ? (lease.problems[manifest.agent] ?? {}) : (manifest.problems ?? {})
}

/** It announces that the store does not answer it, after its last renewal: cut off from the store, and alive. */
function isWithoutStore(manifest: Manifest, { remainingMs }: LeaseSeen, nowMs: number): boolean {
  const { problems, seenAtMs } = manifest
  if (problems?.['store'] === undefined || Math.abs(nowMs - seenAtMs) > ANNOUNCED_WITHIN_MS) return false
  return remainingMs === null || seenAtMs > nowMs - (leaseMsOf(manifest) - remainingMs)
}

function leaseMsOf({ policies }: Manifest): number {
  const leaseMs = Number(policies['leaseMs'] ?? DEFAULT_LEASE_MS)
  return Number.isFinite(leaseMs) && leaseMs > 0 ? leaseMs : DEFAULT_LEASE_MS
}
