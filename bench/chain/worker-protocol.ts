/** What the parent of a benchmark and its workers say to each other. */
import type { Variant } from './settings.ts'
import type { StoreUse } from './counting-store.ts'
import type { Workload } from './workload.ts'

/** Everything a worker needs to know. */
export interface WorkerSettings {
  readonly variant: Variant
  readonly workload: Workload
  readonly brokers: readonly string[]
  readonly redisUrl: string
  readonly registryUrl: string
  readonly otlpUrl: string
  /** One run's own topics, groups and keys. */
  readonly namespace: string
  /** Flags of Node, for example a profiler's. */
  readonly workerFlags: readonly string[]
}

/** What a worker has cost since it was ready. */
export interface Usage {
  readonly cpuMs: number
  /** The most that the process ever took, start included. */
  readonly peakRssBytes: number
  /** The most handlers that waited at once. */
  readonly peakHandlers: number
  /** Of the claim store; a raw loop has none. */
  readonly store: StoreUse
}

/** From the worker. */
export type WorkerMessage = { readonly kind: 'ready' } | { readonly kind: 'usage'; readonly usage: Usage }

/** A worker's stages, running. */
export interface RunningWorker {
  readonly storeUse: StoreUse
  readonly stop: () => Promise<void>
}
