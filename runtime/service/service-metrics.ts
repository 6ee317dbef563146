/** Everything that this process can tell of itself, taken when somebody asks: no figure costs anything in between. */
import { MetricSnapshot } from '../../tracing/metric-snapshot.ts'
import type { LeaseKeeper } from '../admit/lease-keeper.ts'
import type { AgentMetrics } from './agent-metrics.ts'
import type { Health } from './health-server.ts'

/** The servers that a process needs. */
export type Dependency = 'broker' | 'store' | 'registry'

export interface ServiceMetricsOptions {
  readonly agents: readonly AgentMetrics[]
  readonly leases: Pick<LeaseKeeper, 'counts'>
  readonly health: () => Pick<Health, 'state' | 'isReady'>
  readonly away: () => ReadonlySet<Dependency>
}

const DEPENDENCIES: readonly Dependency[] = ['broker', 'store', 'registry']

/** One reading. Servers that it has to ask for a figure hold it up for half a second at most. */
export async function readServiceMetrics(options: ServiceMetricsOptions): Promise<MetricSnapshot> {
  const snapshot = new MetricSnapshot()
  const away = options.away()
  const { state, isReady } = options.health()
  const { renewals, failures, losses } = options.leases.counts
  snapshot.set('laban.process.ready', {}, Number(isReady))
  for (const dependency of DEPENDENCIES)
    snapshot.set('laban.dependency.available', { dependency }, Number(!away.has(dependency)))
  snapshot.set('laban.lease.renewals', {}, renewals)
  snapshot.set('laban.lease.failures', {}, failures)
  snapshot.set('laban.lease.losses', {}, losses)
  const circumstances = { isStoreAway: away.has('store'), isDraining: state === 'draining' }
  await Promise.all(options.agents.map((agent) => agent.addTo(snapshot, circumstances)))
  return snapshot
}
