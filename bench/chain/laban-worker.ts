/** The same chain as three laban agents in one process, everything on: claims in Redis, facts, manifests, tracing. */
import { createCodec } from '../../contracts/create-codec.ts'
import { createConfluentRegistry } from '../../contracts/registry-confluent.ts'
import { resolveSchemaIds } from '../../contracts/schema-ids.ts'
import { createKafkaBroker } from '../../runtime/adapters/kafka/broker.ts'
import { createRedisStore } from '../../runtime/adapters/redis/store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { Service } from '../../runtime/service/service.ts'
import { startTracing } from '../../tracing/setup.ts'
import { agentsOf } from './agents.ts'
import { countingStore } from './counting-store.ts'
import { chainContracts } from './settings.ts'
import type { RunningWorker, WorkerSettings } from './worker-protocol.ts'

/** Those limits of `laban run` that no workload changes. */
export const LIMITS = {
  maxOpenBytes: 256 * 1024 * 1024,
  commitIntervalMs: 1_000,
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 1_000,
}

/** Starts the service. */
export async function labanWorker(settings: WorkerSettings): Promise<RunningWorker> {
  const { namespace, brokers, redisUrl, registryUrl, otlpUrl, variant, workload } = settings
  const clock = systemClock
  const logger = silentLogger
  const contracts = chainContracts(workload.partitions)
  const broker = createKafkaBroker({ brokers, clientId: 'bench-laban', namespace, clock, logger })
  await broker.connect()
  const registry = createConfluentRegistry({ url: registryUrl, timeoutMs: 10_000 })
  const schemaIds = await resolveSchemaIds(contracts, registry, contracts.topics.keys(), { register: true, namespace })
  const { store, use } = countingStore(createRedisStore({ url: redisUrl, namespace, clock, logger }))
  await store.connect()
  const sampleRatio = variant === 'c' ? 1 : 0.01
  const tracing = startTracing({ serviceName: 'bench', otlpUrl, sampleRatio, instance: String(process.pid) })
  const service = new Service({
    agents: agentsOf(workload),
    broker,
    store,
    contracts,
    codec: createCodec({ contracts, registry, schemaIds }),
    schemaIds,
    tracer: tracing.tracer,
    clock,
    log: logger,
    namespace,
    leaseMs: 10_000,
    drainTimeoutMs: 5_000,
    limits: { ...LIMITS, maxOpen: workload.maxOpen },
    dedup: true,
    onFatal: (error) => {
      throw error
    },
  })
  await service.start()
  return {
    storeUse: use,
    stop: async () => {
      await service.stop()
      await store.close()
      await broker.close()
      await tracing.shutdown()
    },
  }
}
