/** Configuration in, wired parts out. The only file that knows several adapters; each is loaded only when it is used. */
import { hostname } from 'node:os'
import { agentTopicSettings, type TopicSettings } from '../contracts/agent-topics.ts'
import { loadContracts, type ContractSet } from '../contracts/contract-set.ts'
import type { EventCodec } from '../contracts/codec.ts'
import { AGENTS_TOPIC, FACTS_TOPIC } from '../contracts/contract.ts'
import { createCodec } from '../contracts/create-codec.ts'
import { describeUnknown, LabanError } from '../contracts/errors.ts'
import { createFolderRegistry } from '../contracts/registry-folder.ts'
import type { SchemaRegistry } from '../contracts/registry.ts'
import { resolveSchemaIds } from '../contracts/schema-ids.ts'
import { plannedTopic } from '../contracts/topic-plan.ts'
import { noTracer } from '../tracing/create-tracer.ts'
import type { EventTracer } from '../tracing/event-tracer.ts'
import type { Agent } from './agent.ts'
import { kafkaAccess, type KafkaLogin } from './compose/kafka-access.ts'
import { ledgerAccess, redisAccess, registryAccess, tracingAccess } from './compose/server-access.ts'
import type { Config } from './config/schema.ts'
import type { Broker } from './ports/broker.ts'
import type { Store } from './ports/claim-store.ts'
import { systemClock, type Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type { ResultStore } from './ports/result-store.ts'
import type { SqlDatabase } from './ports/sql.ts'
import { Service } from './service/service.ts'
import { checkStart, eventTopicsOf } from './service/start-checks.ts'

export { createLogger } from './adapters/pino/logger.ts'

/** The servers, or what stands for them, and the contracts: what publishing, reading and running share. */
export interface Stack {
  readonly kind: 'embedded' | 'kafka'
  readonly config: Config
  readonly broker: Broker
  readonly registry: SchemaRegistry
  readonly contracts: ContractSet
  readonly clock: Clock
  readonly log: Logger
  /** Opens the claim store: publishing and reading do not need one. */
  store(): Promise<Store>
  close(): Promise<void>
}

/** What opening a stack needs. */
export interface StackOptions {
  readonly config: Config
  readonly log: Logger
  /** @default the machine's clock */
  readonly clock?: Clock
  /** @default what the configuration says */
  readonly kafka?: KafkaLogin | undefined
}

/** Everything in memory, nothing installed: broker, store, and the contracts folder as registry. Topics are made as contracts say. */
export async function openEmbedded(
  options: StackOptions & { readonly broker?: Broker; readonly store?: Store },
): Promise<Stack> {
  const { createMemoryBroker } = await import('./adapters/memory/broker.ts')
  const { createMemoryStore } = await import('./adapters/memory/store.ts')
  const { config, log, clock = systemClock } = options
  const contracts = contractsOf(config)
  const broker = options.broker ?? createMemoryBroker({ clock })
  const store = options.store ?? createMemoryStore({ clock })
  await broker.connect()
  await broker.admin.createTopics([...contracts.topics.values()].map(plannedTopic))
  const registry = createFolderRegistry(contracts)
  return {
    kind: 'embedded',
    config,
    broker,
    registry,
    contracts,
    clock,
    log,
    store: () => Promise.resolve(store),
    close: () => broker.close(),
  }
}

/** Kafka, a Confluent-compatible registry (the contracts folder when no URL is set) and Redis, as configured. */
export async function openKafka(options: StackOptions): Promise<Stack> {
  const { createKafkaBroker } = await import('./adapters/kafka/broker.ts')
  const { config, log, clock = systemClock } = options
  if (config.brokers.length === 0) throw missing('brokers', 'no Kafka broker is configured')
  const contracts = contractsOf(config)
  const broker = createKafkaBroker({
    brokers: config.brokers,
    clientId: config.clientId,
    namespace: config.namespace,
    ...kafkaAccess(config, options.kafka),
    clock,
    logger: log.child({ component: 'kafka' }),
  })
  const registry = await openRegistry(config, contracts)
  await broker.connect()
  let store: Promise<Store> | undefined
  return {
    kind: 'kafka',
    config,
    broker,
    registry,
    contracts,
    clock,
    log,
    store: () => (store ??= openRedis(config, clock, log)),
    close: async () => {
      // A store that could not be opened has been reported to whoever asked for it; the others must still be closed.
      await (await store?.catch(() => undefined))?.close()
      await registry.close()
      await broker.close()
    },
  }
}

/** The contracts that the configuration names. @throws LABAN_CONTRACT_INVALID */
export function contractsOf(config: Config): ContractSet {
  const { contractsDir: dir, environment } = config
  return loadContracts({ dir, ...(environment === undefined ? {} : { environment }) })
}

/** The registry that the configuration names. */
export async function openRegistry(config: Config, contracts: ContractSet): Promise<SchemaRegistry> {
  if (config.registry.url === undefined) return createFolderRegistry(contracts)
  const { createConfluentRegistry } = await import('../contracts/registry-confluent.ts')
  return createConfluentRegistry({
    ...registryAccess(config),
    url: config.registry.url,
    timeoutMs: config.registry.timeoutMs,
  })
}

async function openRedis(config: Config, clock: Clock, log: Logger): Promise<Store> {
  const { createRedisStore } = await import('./adapters/redis/store.ts')
  if (config.redis.url === undefined) throw missing('redis.url', 'no Redis is configured; claims need one')
  const store = createRedisStore({
    url: config.redis.url,
    namespace: config.namespace,
    ...redisAccess(config),
    clock,
    logger: log.child({ component: 'redis' }),
  })
  try {
    await store.connect()
  } catch (error) {
    await store.close()
    throw error
  }
  return store
}

/** The database of the ledger: PostgreSQL, or PGlite in a folder; undefined when none is configured. Nothing is made in it. */
export async function openLedgerDatabase(config: Config, log: Logger): Promise<SqlDatabase | undefined> {
  const { url, dir } = config.ledger
  const logger = log.child({ component: 'ledger' })
  if (url !== undefined) {
    const { createPostgresDatabase } = await import('./adapters/postgres/database.ts')
    return createPostgresDatabase({ url, ...ledgerAccess(config), logger })
  }
  if (dir === undefined) return undefined
  const { openPgliteDatabase } = await import('./adapters/pglite/database.ts')
  return openPgliteDatabase(dir)
}

/** A database of the ledger's kind in the memory of this process. Needs the optional package of PGlite. @throws LABAN_LEDGER_UNAVAILABLE */
export async function openMemoryDatabase(): Promise<SqlDatabase> {
  const { openPgliteDatabase } = await import('./adapters/pglite/database.ts').catch((error: unknown) => {
    throw new LabanError(
      'LABAN_LEDGER_UNAVAILABLE',
      { url: 'memory', problem: describeUnknown(error) },
      { cause: error },
    )
  })
  return openPgliteDatabase()
}

/** A codec with this process's schema ids. Topics that are not needed may be unregistered; encoding for them is an error then. */
export async function openCodec(
  stack: Stack,
  needed: Iterable<string> = [],
): Promise<{ readonly codec: EventCodec; readonly schemaIds: ReadonlyMap<string, number> }> {
  const { contracts, registry, config, kind } = stack
  const must = new Set([FACTS_TOPIC, ...needed])
  const schemaIds = await resolveSchemaIds(contracts, registry, contracts.topics.keys(), {
    register: kind === 'embedded',
    namespace: config.namespace,
    needs: (topic) => must.has(topic),
  })
  return { codec: createCodec({ contracts, registry, schemaIds, nowMs: () => stack.clock.nowMs() }), schemaIds }
}

/** Tracing as configured; without an OTLP address headers are forwarded and nothing is recorded. */
export async function openTracing(
  config: Config,
  options: { readonly serviceName: string; readonly log: Logger },
): Promise<{ readonly tracer: EventTracer; shutdown(): Promise<void> }> {
  const { enabled, otlpUrl, sampleRatio } = config.tracing
  if (!enabled || otlpUrl === undefined) return { tracer: noTracer, shutdown: () => Promise.resolve() }
  const { startTracing } = await import('../tracing/setup.ts')
  const { serviceName, log } = options
  return startTracing({
    serviceName,
    otlpUrl,
    sampleRatio,
    ...tracingAccess(config),
    instance: `${hostname()}-${process.pid}`,
    onExportChange: (state, reason) => log.warn(`export of traces is ${state}`, { reason }),
  })
}

/** What a service needs besides its stack and agents. */
export interface ServiceParts {
  readonly tracer?: EventTracer
  /** Told when the process cannot go on and should end. */
  readonly onFatal: (error: unknown) => void
  readonly instance?: string
}

/**
 * A service for some agents on a stack; not started yet.
 * @throws start-up errors: LABAN_TOPIC_MISSING, LABAN_SCHEMA_MISSING, LABAN_STORE_UNSAFE, each naming the command that helps
 */
export async function createService(stack: Stack, agents: readonly Agent[], parts: ServiceParts): Promise<Service> {
  const { config, contracts, broker, clock, log } = stack
  if (stack.kind === 'embedded') await broker.admin.createTopics(ownTopics(agents, contracts).map(plannedTopic))
  const store = await stack.store()
  await checkStart({
    agents,
    contracts,
    broker,
    store,
    allowUnsafe: config.redis.allowUnsafe || stack.kind === 'embedded',
  })
  const { codec, schemaIds } = await openCodec(stack, [AGENTS_TOPIC, ...agents.flatMap(eventTopicsOf)])
  return new Service({
    agents,
    broker,
    store,
    contracts,
    codec,
    schemaIds,
    tracer: parts.tracer ?? noTracer,
    clock,
    log,
    namespace: config.namespace,
    leaseMs: config.leaseMs,
    drainTimeoutMs: config.drainTimeoutMs,
    limits: {
      maxOpen: Math.ceil(config.maxInFlight / agents.length),
      maxOpenBytes: Math.ceil(config.maxBufferedBytes / agents.length),
      commitIntervalMs: 1_000,
      sessionTimeoutMs: config.kafka.sessionTimeoutMs,
      heartbeatIntervalMs: config.kafka.heartbeatIntervalMs,
    },
    maxResultBytes: config.steps.maxResultBytes,
    ...(await resultsOf(config)),
    dedup: config.dedup === 'on',
    maxBatchBytes: config.producer.maxBatchBytes,
    onFatal: parts.onFatal,
    ...(parts.instance === undefined ? {} : { instance: parts.instance }),
  })
}

async function resultsOf({ steps }: Config): Promise<{ readonly results?: ResultStore }> {
  if (steps.resultsDir === undefined) return {}
  const { createFileResultStore } = await import('./adapters/file/result-store.ts')
  return { results: createFileResultStore(steps.resultsDir) }
}

/** The topics that the agents need for themselves. */
export function ownTopics(agents: readonly Agent[], contracts: ContractSet): TopicSettings[] {
  return agents.flatMap((agent) => agentTopicSettings(agent, contracts))
}

function missing(path: string, problem: string): LabanError {
  return new LabanError('LABAN_CONFIG_INVALID', { path, origin: 'the configuration', problem })
}
