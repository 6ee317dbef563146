/** Announces this process's agents on `laban.agents` and keeps the announcement alive; the topology is whatever is announced. */
import { hostname } from 'node:os'
import type { EventCodec } from '../../contracts/codec.ts'
import { MANIFEST_FORMAT_VERSION, type Manifest } from '../../contracts/manifest.ts'
import type { Agent } from '../agent.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { BatchingProducer } from '../publish/batching-producer.ts'
import type { AgentRunner } from './agent-runner.ts'
import { Announcer } from './announcer.ts'
import type { Problems } from './problems.ts'

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
  readonly #announcer: Announcer

  constructor(options: ManifestKeeperOptions) {
    this.#options = options
    this.#startedAtMs = options.clock.nowMs()
    const { runners, producer, codec, clock, log } = options
    this.#announcer = new Announcer({
      ...{ codec, clock, log },
      manifests: (state) => [...runners].map(([agent, runner]) => this.#manifest(agent, runner, state)),
      circumstances: () => this.#circumstances(),
      append: (records) => producer.append(records),
    })
  }

  /** Announces every agent as running, now and then again. */
  start(): Promise<void> {
    return this.#announcer.start()
  }

  /** The last word of this process. */
  stop(): Promise<void> {
    return this.#announcer.stop()
  }

  /** Problems, and partitions whose subscription has begun. */
  #circumstances(): string {
    const { runners, problemsOf } = this.#options
    return JSON.stringify(
      [...runners].map(([agent, runner]) => [
        Object.keys(problemsOf?.(agent) ?? {}),
        Object.keys(runner.status.subscribedFrom).length,
      ]),
    )
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
