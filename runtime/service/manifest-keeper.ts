/** Announces this process's agents on `laban.agents` and keeps the announcement alive; the topology is whatever is announced. */
import { hostname } from 'node:os'
import type { EventCodec } from '../../contracts/codec.ts'
import { AGENTS_TOPIC } from '../../contracts/contract.ts'
import { describeUnknown } from '../../contracts/errors.ts'
import { MANIFEST_FORMAT_VERSION, type Manifest } from '../../contracts/manifest.ts'
import type { Agent } from '../agent.ts'
import type { Cancel, Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { BatchingProducer } from '../publish/batching-producer.ts'
import type { AgentRunner } from './agent-runner.ts'
import type { Problems } from './problems.ts'

/** A manifest that is older than three of these belongs to a process that died. */
export const ANNOUNCE_EVERY_MS = 10_000
/** A problem is told so soon. */
const LOOK_EVERY_MS = 1_000

export interface ManifestKeeperOptions {
  readonly runners: ReadonlyMap<Agent, AgentRunner>
  readonly instance: string
  readonly leaseMs: number
  /** What keeps an agent of this process from consuming; a change is announced at once. @default nothing */
  readonly problemsOf?: (agent: Agent) => Problems
  readonly schemaIds: ReadonlyMap<string, number>
  readonly producer: BatchingProducer
  readonly codec: EventCodec
  readonly clock: Clock
  readonly log: Logger
}

/** One per process. */
export class ManifestKeeper {
  readonly #options: ManifestKeeperOptions
  readonly #startedAtMs: number
  #cancel: Cancel | undefined
  #isStopped = false
  #announcedState = ''
  #announcedAtMs = 0

  constructor(options: ManifestKeeperOptions) {
    this.#options = options
    this.#startedAtMs = options.clock.nowMs()
  }

  /** Announces every agent as running, now and then again. */
  async start(): Promise<void> {
    await this.#announce('running')
    this.#schedule()
  }

  /** The last word of this process. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#announce('stopped')
  }

  #schedule(): void {
    if (this.#isStopped) return
    this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => {
      const isDue = this.#options.clock.steadyMs() - this.#announcedAtMs >= ANNOUNCE_EVERY_MS
      if (!isDue && this.#state() === this.#announcedState) return this.#schedule()
      void this.#announce('running').finally(() => this.#schedule())
    })
  }

  /** What is announced at once when it changes, as one text: problems, and partitions whose subscription has begun. */
  #state(): string {
    const { runners, problemsOf } = this.#options
    return JSON.stringify(
      [...runners].map(([agent, runner]) => [
        Object.keys(problemsOf?.(agent) ?? {}),
        Object.keys(runner.status.subscribedFrom).length,
      ]),
    )
  }

  async #announce(state: Manifest['state']): Promise<void> {
    const { runners, producer, codec, log, clock } = this.#options
    this.#announcedState = this.#state()
    this.#announcedAtMs = clock.steadyMs()
    const records = [...runners].map(([agent, runner]) => {
      const manifest = this.#manifest(agent, runner, state)
      const value = codec.encode(AGENTS_TOPIC, manifest)
      return { topic: AGENTS_TOPIC, key: `${agent.name}|${manifest.instance}`, value, headers: {} }
    })
    try {
      await producer.append(records)
    } catch (error) {
      log.warn('manifest not announced', { problem: describeUnknown(error) })
    }
  }

  #manifest(agent: Agent, runner: AgentRunner, state: Manifest['state']): Manifest {
    const { instance, schemaIds, clock, leaseMs, problemsOf } = this.#options
    const topics = [...agent.topics, ...agent.always, ...agent.oneOf, ...agent.maybe]
    return {
      formatVersion: MANIFEST_FORMAT_VERSION,
      agent: agent.name,
      version: agent.version,
      summary: agent.summary,
      instance,
      host: hostname(),
      pid: process.pid,
      state,
      consumes: agent.topics,
      join: agent.isJoin,
      always: agent.always,
      oneOf: agent.oneOf,
      maybe: agent.maybe,
      policies: { ...policiesOf(agent), leaseMs: String(leaseMs) },
      problems: problemsOf?.(agent) ?? {},
      schemaIds: Object.fromEntries(
        topics.flatMap((topic) => (schemaIds.has(topic) ? [[topic, schemaIds.get(topic) ?? 0]] : [])),
      ),
      subscribedFrom: runner.status.subscribedFrom,
      startedAtMs: this.#startedAtMs,
      seenAtMs: clock.nowMs(),
    }
  }
}

function policiesOf(agent: Agent): Record<string, string> {
  return {
    order: agent.order,
    onRevoke: agent.onRevoke,
    timeoutMs: String(agent.timeoutMs),
    maxAttempts: String(agent.retry.maxAttempts),
    maxInFlight: String(agent.maxInFlight),
    dedupMs: String(agent.dedupMs),
  }
}
