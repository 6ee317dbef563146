/** What the parent of a chain benchmark and its workers say to each other. */
import type { Variant } from './settings.ts'

/** Everything a worker needs to know. */
export interface WorkerSettings {
  readonly variant: Variant
  readonly brokers: readonly string[]
  readonly redisUrl: string
  readonly registryUrl: string
  readonly otlpUrl: string
  /** One run's own topics, groups and keys. */
  readonly namespace: string
}

/** From the worker. */
export type WorkerMessage =
  { readonly kind: 'ready' } | { readonly kind: 'usage'; readonly cpuMs: number; readonly peakRssBytes: number }
