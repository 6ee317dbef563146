/**
 * A Kafka cluster of one test, for what must not be done to a shared one. Clients reach each broker through a proxy whose address
 * the broker tells them, so that the wire between them can be cut while the brokers still reach each other.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaProperties } from '../../infra/stack/settings.ts'
import { freePort } from './free-port.ts'
import { makeKafkaNode, type KafkaNode } from './kafka-node.ts'
import { startKafkaProxy, type KafkaProxy } from './kafka-proxy.ts'

/** A broker and the wire to it. */
export interface OwnBroker {
  readonly node: KafkaNode
  readonly wire: KafkaProxy
}

/** A running cluster. */
export interface OwnKafka {
  /** Addresses of the proxies, comma-separated. */
  readonly brokers: string
  /** The first broker past its proxy, for what a test looks up while the wire is cut; answers lead to the proxies. */
  readonly nodes: readonly OwnBroker[]
  close(): Promise<void>
}

/** How many brokers, and what is special about them. */
export interface OwnKafkaOptions {
  /** @default 1 */
  readonly brokers?: number
  /** Settings over the stack's. */
  readonly properties?: Readonly<Record<string, string>>
  /** Where the data of the brokers lie. @default a folder of its own */
  readonly dataDir?: string
}

interface Ports {
  readonly client: number
  readonly internal: number
  readonly controller: number
  readonly wire: KafkaProxy
}

const CLUSTER_ID = 'bGFiYW4tb3duLWthZmthLTA'
const HOST = '127.0.0.1'

/** Starts one; every broker is its own controller. */
export async function startOwnKafka(options: OwnKafkaOptions = {}): Promise<OwnKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'laban-own-kafka-'))
  const ports: Ports[] = []
  for (let index = 0; index < (options.brokers ?? 1); index++) {
    const client = await freePort()
    const wire = await startKafkaProxy(`${HOST}:${client}`)
    ports.push({ client, internal: await freePort(), controller: await freePort(), wire })
  }
  const nodes = await Promise.all(
    ports.map(async ({ client, wire }, index) => {
      const own = join(folder, String(index + 1))
      await mkdir(own)
      const properties = propertiesOf(index, ports, join(options.dataDir ?? own, `data-${index + 1}`))
      const node = await makeKafkaNode({
        folder: own,
        properties: { ...properties, ...options.properties },
        clusterId: CLUSTER_ID,
        probePort: client,
      })
      return { node, wire }
    }),
  )
  const close = async (): Promise<void> => {
    await Promise.all(
      nodes.map(async ({ node, wire }) => {
        node.signal('SIGCONT')
        await node.end('SIGKILL')
        await wire.close()
      }),
    )
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await Promise.all(nodes.map(({ node }) => node.start()))
  } catch (error) {
    await close()
    throw error
  }
  return { brokers: nodes.map(({ wire }) => `${HOST}:${wire.port}`).join(','), nodes, close }
}

function propertiesOf(index: number, all: readonly Ports[], dataDir: string): Readonly<Record<string, string>> {
  const own = all[index]
  if (own === undefined) return {}
  const copies = String(Math.min(3, all.length))
  const inSync = String(Math.min(2, all.length))
  const internal = `INTERNAL://${HOST}:${own.internal}`
  return {
    ...kafkaProperties,
    'process.roles': 'broker,controller',
    'node.id': String(index + 1),
    'controller.quorum.voters': all.map(({ controller }, at) => `${at + 1}@${HOST}:${controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `CLIENT://${HOST}:${own.client},${internal},CONTROLLER://${HOST}:${own.controller}`,
    'advertised.listeners': `CLIENT://${HOST}:${own.wire.port},${internal}`,
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'INTERNAL',
    'log.dirs': dataDir,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
  }
}
