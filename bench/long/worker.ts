/**
 * One process of a trial of long handlers: a service as `laban run` makes it, watched from below. It counts the records that the
 * broker delivers, how evenly heartbeats go out, and how long rebalances take.
 */
import { appendFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createCodec } from '../../contracts/create-codec.ts'
import { createConfluentRegistry } from '../../contracts/registry-confluent.ts'
import { resolveSchemaIds } from '../../contracts/schema-ids.ts'
import { createKafkaBroker } from '../../runtime/adapters/kafka/broker.ts'
import { createRedisStore } from '../../runtime/adapters/redis/store.ts'
import type { Broker, ConsumerHandlers } from '../../runtime/ports/broker.ts'
import { systemClock as clock } from '../../runtime/ports/clock.ts'
import { silentLogger as logger } from '../../runtime/ports/logger.ts'
import { Service } from '../../runtime/service/service.ts'
import { noTracer } from '../../tracing/create-tracer.ts'
import { LONG_AGENT, longAgent, longContracts } from './agent.ts'

/** What a worker is told. */
export interface LongWorkerSettings {
  readonly namespace: string
  readonly brokers: readonly string[]
  readonly redisUrl: string
  readonly registryUrl: string
  readonly partitions: number
  readonly maxInFlight: number
  readonly drainTimeoutMs: number
  /** Session time-out, and lease. */
  readonly sessionMs: number
  readonly runsFile: string
}

/** What a worker says when it is asked. */
export interface LongReport {
  readonly rssMb: number
  /** Times between heartbeats, in milliseconds, rising. */
  readonly heartbeatGapsMs: readonly number[]
  /** From the call to rejoin to the assignment, in milliseconds. */
  readonly rebalancesMs: readonly number[]
  readonly running: number
  readonly warnings: readonly string[]
}

const settings = JSON.parse(process.argv[2] ?? '{}') as LongWorkerSettings
const heartbeatGapsMs: number[] = []
const rebalancesMs: number[] = []
watchHeartbeats()
const service = await start()
process.send?.({ kind: 'ready' })
process.on('message', (message: { kind: string }) => {
  if (message.kind === 'report') process.send?.({ kind: 'report', report: report() })
  if (message.kind === 'stop') void service.stop().then(() => process.exit(0))
})

async function start(): Promise<Service> {
  const { namespace, brokers, redisUrl, registryUrl, partitions, maxInFlight, drainTimeoutMs, runsFile, sessionMs } =
    settings
  const contracts = longContracts(partitions)
  const broker = createKafkaBroker({ brokers, clientId: 'long', namespace, clock, logger })
  await broker.connect()
  const registry = createConfluentRegistry({ url: registryUrl, timeoutMs: 10_000 })
  const schemaIds = await resolveSchemaIds(contracts, registry, contracts.topics.keys(), { register: true, namespace })
  const store = createRedisStore({ url: redisUrl, namespace, clock, logger })
  await store.connect()
  const service = new Service({
    agents: [longAgent(runsFile, maxInFlight)],
    broker: watched(broker),
    ...{ store, contracts, codec: createCodec({ contracts, registry, schemaIds }), schemaIds, tracer: noTracer },
    ...{ clock, log: logger, namespace, leaseMs: sessionMs, drainTimeoutMs, dedup: true },
    limits: {
      ...{ maxOpen: 20_000, maxOpenBytes: 256 * 1024 * 1024 },
      ...{ commitIntervalMs: 1_000, sessionTimeoutMs: sessionMs, heartbeatIntervalMs: Math.min(1_000, sessionMs / 4) },
    },
    onFatal: (error) => {
      throw error
    },
  })
  await service.start()
  return service
}

/** Notes every record that is taken over, as `got <partition> <offset> <pid>`, and the time of rebalances. */
function watched(broker: Broker): Broker {
  const watch = (handlers: ConsumerHandlers): ConsumerHandlers => {
    let beganAtMs: number | undefined
    return {
      onAssigned: (assignment) => {
        if (beganAtMs !== undefined) rebalancesMs.push(performance.now() - beganAtMs)
        beganAtMs = undefined
        return handlers.onAssigned(assignment)
      },
      onRebalancing: () => {
        beganAtMs = performance.now()
        return handlers.onRebalancing()
      },
      onBatch: (batch) => {
        const next = handlers.onBatch(batch)
        const taken = batch.records.filter(({ offset }) => offset < next)
        appendFileSync(
          settings.runsFile,
          taken.map(({ offset }) => `got ${batch.partition} ${offset} ${process.pid}\n`).join(''),
        )
        return next
      },
      onCrash: (error) => handlers.onCrash(error),
    }
  }
  return {
    connect: () => broker.connect(),
    producer: () => broker.producer(),
    // Retry topics have a member of their own.
    consumer: (options, handlers) =>
      broker.consumer(options, options.group === LONG_AGENT ? watch(handlers) : handlers),
    admin: broker.admin,
    reader: broker.reader,
    close: () => broker.close(),
  }
}

function watchHeartbeats(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/broker') as {
    prototype: { heartbeat(this: object, request: { groupId: string }): Promise<unknown> }
  }
  const { heartbeat } = prototype
  /** By group: an agent is a member of two. */
  const lastAtMs = new Map<string, number>()
  prototype.heartbeat = function (request) {
    const nowMs = performance.now()
    const last = lastAtMs.get(request.groupId)
    if (last !== undefined) heartbeatGapsMs.push(nowMs - last)
    lastAtMs.set(request.groupId, nowMs)
    return heartbeat.call(this, request)
  }
}

function report(): LongReport {
  const { agents, warnings } = service.health
  return {
    rssMb: process.memoryUsage.rss() / 1e6,
    heartbeatGapsMs: heartbeatGapsMs.toSorted((a, b) => a - b),
    rebalancesMs,
    running: agents.reduce((sum, agent) => sum + agent.running, 0),
    warnings,
  }
}
