/**
 * The shop that faults are injected into: four agents as processes of their own on the real servers, with a Redis of its own and the
 * registry behind a wire that can be cut. Whoever asks why uses the real command line.
 */
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import type { EventCodec } from '../../../contracts/codec.ts'
import { physicalTopic, subjectOf } from '../../../contracts/contract.ts'
import {
  createDiagnostician,
  createLogger,
  loadConfig,
  logFlowSource,
  openCodec,
  openKafka,
  patientCodec,
  publisherOn,
  type Publisher,
  type Stack,
} from '../../../runtime/internal.ts'
import type { Appended, BrokerProducer, OutgoingRecord } from '../../../runtime/ports/broker.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import type { Diagnosis, FlowGraph } from '../../../tracing/index.ts'
import { startPrivateRedis, type PrivateRedis } from '../../conformance/store-server.ts'
import { Deployment, type AgentProcess, type ServerAddresses } from '../../harness/processes.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { TcpProxy } from '../../harness/tcp-proxy.ts'
import type { Order } from './agents/shop-agent.ts'
import { OutsideService } from './service.ts'

/** The agents of the shop; each is one file and one process. */
const SHOP_AGENTS = ['pricer', 'checker', 'shipper', 'courier'] as const
/** More of them, which only some faults start. */
const EXTRA_AGENTS = ['latecomer', 'echo', 'wall', 'packer'] as const
export type ShopAgent = (typeof SHOP_AGENTS)[number] | (typeof EXTRA_AGENTS)[number]
const ALL_AGENTS: readonly ShopAgent[] = [...SHOP_AGENTS, ...EXTRA_AGENTS]
const CONTRACTS = join(import.meta.dirname, 'contracts')
const fileOf = (agent: ShopAgent): string => join(import.meta.dirname, 'agents', `${agent}.ts`)

/** Milliseconds of a clock that nobody sets. */
export function steadyMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

/** See the file's head. */
export class Shop {
  readonly redis: PrivateRedis
  readonly registry: TcpProxy
  readonly service: OutsideService
  readonly deployment: Deployment
  readonly stack: Stack
  readonly #publisher: Publisher
  readonly #running = new Map<ShopAgent, AgentProcess[]>()
  #number = 0
  #producer: BrokerProducer | undefined

  private constructor(parts: {
    redis: PrivateRedis
    registry: TcpProxy
    service: OutsideService
    deployment: Deployment
    stack: Stack
    publisher: Publisher
  }) {
    this.redis = parts.redis
    this.registry = parts.registry
    this.service = parts.service
    this.deployment = parts.deployment
    this.stack = parts.stack
    this.#publisher = parts.publisher
  }

  /** Servers, topics and schemas; nobody works yet. */
  static async open(servers: Partial<ServerAddresses> = {}): Promise<Shop> {
    const redis = await startPrivateRedis()
    const registryUrl = servers.registryUrl ?? (await stackAddress('registryUrl'))
    const registry = await TcpProxy.start(registryUrl)
    const service = await OutsideService.start()
    const brokers = servers.brokers ?? (await stackAddress('brokers'))
    const deployment = await Deployment.make('shop', {
      agents: ALL_AGENTS.map(fileOf),
      contractsDir: CONTRACTS,
      servers: { brokers, registryUrl: registry.url, redisUrl: redis.url },
      env: { SHOP_SERVICE_URL: service.url },
    })
    const { config } = loadConfig({ environment: { ...deployment.env, LABAN_REGISTRY_URL: registryUrl } })
    const stack = await openKafka({ config, log: createLogger({ level: 'error', format: 'json' }) })
    const publisher = await publisherOn(stack, { source: 'shop.till' })
    return new Shop({ redis, registry, service, deployment, stack, publisher })
  }

  /** Starts agents, all of them by default, and waits until they consume. */
  async start(agents: readonly ShopAgent[] = SHOP_AGENTS, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const started = agents.map((agent) => {
      const process = this.deployment.start([fileOf(agent)], env)
      this.#running.set(agent, [...(this.#running.get(agent) ?? []), process])
      return process
    })
    await Promise.all(started.map(({ ready }) => ready))
  }

  /** The processes of an agent that have not been ended here, the newest last. */
  processes(agent: ShopAgent): readonly AgentProcess[] {
    return this.#running.get(agent) ?? []
  }

  /** Ends all processes of an agent. */
  async end(agent: ShopAgent, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const own = this.processes(agent)
    this.#running.delete(agent)
    for (const { pid } of own) wake(pid)
    await Promise.all(own.map((each) => each.end(signal)))
  }

  /** Sends a signal to all processes of an agent. */
  signal(agent: ShopAgent, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    for (const { pid } of this.processes(agent)) process.kill(pid, signal)
  }

  /** Places an order and gives its flow id; each customer is its own unless one is named. */
  async place(wish = '', customer = `customer-${this.#number}`): Promise<string> {
    const value: Order = { number: this.#number++, customer, wish }
    const eventId = crypto.randomUUID()
    await this.#publisher.publishAll([{ eventId, topic: 'shop.order-placed', value, key: customer }])
    return eventId
  }

  /** Places an order that lies in this partition. */
  async placeIn(partition: number): Promise<string> {
    this.#producer ??= await this.stack.broker.producer()
    for (let number = 0; ; number++) {
      const customer = `customer-${this.#number}-${number}`
      if ((await this.#producer.partitionFor('shop.order-placed', customer)) === partition)
        return this.place('', customer)
    }
  }

  /** What `laban why` says, and its exit status. */
  async why(
    id: string,
  ): Promise<{ readonly code: number | null; readonly diagnosis: Diagnosis; readonly tookMs: number }> {
    const beganAtMs = steadyMs()
    const { code, stdout, stderr } = await this.deployment.laban(['why', id, '--on', 'kafka', '--json'])
    if (stdout.trim() === '') throw new Error(`laban why said nothing: ${stderr}`)
    return { code, diagnosis: JSON.parse(stdout) as Diagnosis, tookMs: steadyMs() - beganAtMs }
  }

  /** The same within this process, on connections of its own: what it takes without the start of a program. */
  async look(id: string): Promise<Diagnosis> {
    const { config } = loadConfig({ environment: this.deployment.env })
    const stack = await openKafka({ config, log: silentLogger })
    try {
      const codec = patientCodec(stack.contracts, stack.registry)
      const source = logFlowSource({ ...stack, codec })
      return await createDiagnostician({ ...stack, codec, source, registryProblem: codec.problem }).why(id)
    } finally {
      // A store that does not answer holds up its own end for some seconds.
      stack.close().catch(() => undefined)
    }
  }

  /** A flow as its facts tell it. */
  async flow(id: string): Promise<FlowGraph> {
    return logFlowSource({ ...this.stack, codec: patientCodec(this.stack.contracts, this.stack.registry) }).flow(id)
  }

  /** Appends records as they are given, as some other program would. */
  async append(records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    this.#producer ??= await this.stack.broker.producer()
    return this.#producer.send(records)
  }

  /** Removes all records of a topic, as an administrator can. */
  async deleteRecords(topic: string): Promise<void> {
    const kafka = new Kafka({ brokers: [...this.stack.config.brokers], logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    try {
      // Without it kafkajs does not know which broker leads a partition.
      await admin.fetchTopicMetadata({ topics: [physicalTopic(topic, this.deployment.namespace)] })
      const ends = await this.stack.broker.admin.offsets(topic)
      const partitions = ends.map(({ partition, endOffset }) => ({ partition, offset: String(endOffset) }))
      await admin.deleteTopicRecords({ topic: physicalTopic(topic, this.deployment.namespace), partitions })
    } finally {
      await admin.disconnect()
    }
  }

  /** A codec with the schema ids of this namespace. */
  async codec(): Promise<EventCodec> {
    return (await openCodec(this.stack, ['shop.order-placed', 'laban.agents'])).codec
  }

  async close(): Promise<void> {
    for (const agent of ALL_AGENTS) for (const { pid } of this.processes(agent)) wake(pid)
    this.redis.thaw()
    for (const path of ['price', 'check', 'bring', 'pack']) this.service.set(path, 'fine')
    await this.registry.accept()
    await this.deployment.stop()
    await this.#producer?.close()
    await this.#publisher.close()
    await this.stack.close()
    await this.registry.refuse()
    await this.redis.close()
    await this.service.close()
  }
}

/** A stopped process cannot end. */
function wake(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It has ended.
  }
}

/** The bytes of an order under a schema that was registered just now, with one more field. */
export async function valueOfNewSchema(shop: Shop, field: string): Promise<Buffer> {
  const { contracts, registry } = shop.stack
  const contract = contracts.get('shop.order-placed')
  const schema = JSON.parse(contract.schemaText) as { fields: object[] }
  schema.fields.push({ name: field, type: 'string', default: '' })
  const id = await registry.register(subjectOf(contract.name, shop.deployment.namespace), JSON.stringify(schema))
  const old = (await shop.codec()).encode(contract.name, { number: 1, customer: 'x', wish: '' })
  const value = Buffer.concat([old, Buffer.from([0])])
  value.writeUInt32BE(id, 1)
  return value
}
