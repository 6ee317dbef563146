/** The chain on the memory stack, in this process. */
import { agentTopicSettings } from '../../contracts/agent-topics.ts'
import { createCodec } from '../../contracts/create-codec.ts'
import { encodeEnvelope } from '../../contracts/envelope.ts'
import { deriveId } from '../../contracts/ids.ts'
import { createFolderRegistry } from '../../contracts/registry-folder.ts'
import { resolveSchemaIds } from '../../contracts/schema-ids.ts'
import { plannedTopic } from '../../contracts/topic-plan.ts'
import { createMemoryBroker } from '../../runtime/adapters/memory/broker.ts'
import { createMemoryStore } from '../../runtime/adapters/memory/store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { Service } from '../../runtime/service/service.ts'
import { noTracer } from '../../tracing/create-tracer.ts'
import { agentsOf } from './agents.ts'
import { LIMITS } from './laban-worker.ts'
import { readWritten, untilWritten } from './measure.ts'
import type { DrainResult } from './run-worker.ts'
import { CHAIN, chainContracts, paper } from './settings.ts'
import { CHAIN_WORKLOAD } from './workload.ts'

const LOAD_BATCH = 2_000

/** Preloads the flows and drains them. */
export async function embeddedDrain(flows: number): Promise<DrainResult> {
  const clock = systemClock
  const contracts = chainContracts(CHAIN_WORKLOAD.partitions)
  const agents = agentsOf(CHAIN_WORKLOAD)
  const broker = createMemoryBroker({ clock })
  await broker.connect()
  const own = agents.flatMap((agent) => agentTopicSettings(agent, contracts))
  await broker.admin.createTopics([...contracts.topics.values(), ...own].map(plannedTopic))
  const registry = createFolderRegistry(contracts)
  const schemaIds = await resolveSchemaIds(contracts, registry, contracts.topics.keys(), {
    register: true,
    namespace: '',
  })
  const codec = createCodec({ contracts, registry, schemaIds })
  const producer = await broker.producer()
  for (let begin = 0; begin < flows; begin += LOAD_BATCH) {
    await producer.send(
      Array.from({ length: Math.min(LOAD_BATCH, flows - begin) }, (_, index) => {
        const id = deriveId('bench', String(begin + index))
        const time = new Date().toISOString()
        const headers = encodeEnvelope({ id, type: CHAIN[0], source: 'bench', time, flowId: id, causes: [], hop: 0 })
        return { topic: CHAIN[0], key: id, value: codec.encode(CHAIN[0], paper(begin + index, Date.now())), headers }
      }),
    )
  }
  const cpuAtStart = process.cpuUsage()
  const service = new Service({
    agents,
    broker,
    store: createMemoryStore({ clock }),
    contracts,
    codec,
    schemaIds,
    tracer: noTracer,
    clock,
    log: silentLogger,
    namespace: '',
    leaseMs: 10_000,
    drainTimeoutMs: 5_000,
    limits: { ...LIMITS, maxOpen: CHAIN_WORKLOAD.maxOpen },
    dedup: true,
    onFatal: (error) => {
      throw error
    },
  })
  await service.start()
  await untilWritten(broker, CHAIN[3], flows, 300_000)
  const { user, system } = process.cpuUsage(cpuAtStart)
  const peakRssMb = process.memoryUsage.rss() / 1_048_576
  await service.stop()
  const written = await readWritten(broker, CHAIN[3], flows)
  const { firstAtMs } = await readWritten(broker, CHAIN[1], flows)
  await broker.close()
  const flowsPerSecond = (flows / (written.lastAtMs - firstAtMs)) * 1_000
  return { ...written, flowsPerSecond, cpuUsPerFlow: (user + system) / flows, peakRssMb, usages: [], redisCommands: 0 }
}
