/** The one place that says which servers the stack has, in which version, on which port; the compose file must agree with it. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { StackError } from './stack-error.ts'

/** Every server of the stack, in the order in which it is listed to people. */
export const serverNames = ['kafka', 'registry', 'redis', 'postgres', 'jaeger'] as const

/** Name of one server. */
export type ServerName = (typeof serverNames)[number]

/** Versions run natively. Redis and PostgreSQL come from the machine's packages, so only their least major is fixed. */
export const versions = { kafka: '4.1.0', registry: '3.0.9', redis: '7', postgres: '15', jaeger: '1.76.0' } as const

/** Images that `docker-compose.yml` must use. Jaeger 2.13.0 is the release whose Go module is v1.76.0. */
export const images = {
  kafka: `apache/kafka:${versions.kafka}`,
  registry: `apicurio/apicurio-registry:${versions.registry}`,
  redis: 'redis:7.0.15-bookworm',
  postgres: 'postgres:15.14-bookworm',
  jaeger: 'jaegertracing/jaeger:2.13.0',
} as const satisfies Record<ServerName, string>

/** Ports of a stack; each can be set by `LABAN_STACK_<NAME>_PORT`. */
export const defaultPorts = {
  kafka: 19092,
  kafkaController: 19093,
  registry: 18081,
  redis: 16379,
  postgres: 15432,
  jaeger: 16686,
  otlpHttp: 14318,
  otlpGrpc: 14317,
} as const

/** Name of one port. */
export type PortName = keyof typeof defaultPorts

/** Broker settings beyond addresses: small, quick for tests, and nothing created by accident. */
export const kafkaProperties = {
  'auto.create.topics.enable': 'false',
  // A killed broker may register again only when its old session has ended: keep that wait short.
  'broker.heartbeat.interval.ms': '1000',
  'broker.session.timeout.ms': '4000',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '10',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '10',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
} as const

/** Redis flags: durable to a second, and never evicting, because claims and leases must not vanish silently. */
export const redisFlags = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  'maxmemory-policy': 'noeviction',
} as const

/** Largest heap of each Java server. */
export const heaps = { kafka: '-Xmx1g', registry: '-Xmx512m' } as const

/** User, password and database of the ledger. Local only, hence not secret. */
export const postgresLogin = { user: 'laban', password: 'laban', database: 'laban' } as const

/** Resolved settings of one stack. */
export interface StackSettings {
  readonly host: '127.0.0.1'
  /** Data, logs and process records of this stack. */
  readonly stackDir: string
  /** Downloaded and built programs, shared by all stacks of this user. */
  readonly cacheDir: string
  readonly ports: Readonly<Record<PortName, number>>
  /** Kafka of this stack: another one than usual shows that a broker of that version does, too. */
  readonly kafkaVersion: string
}

/** Environment variable that sets a port, e.g. `otlpHttp` gives `LABAN_STACK_OTLP_HTTP_PORT`. */
export function portVariable(name: PortName): string {
  return `LABAN_STACK_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}_PORT`
}

/**
 * Settings from the environment over the defaults.
 * @throws StackError when a port variable is not a port.
 */
export function resolveSettings(projectDir: string, environment: NodeJS.ProcessEnv): StackSettings {
  const names = Object.keys(defaultPorts) as PortName[]
  const ports = Object.fromEntries(names.map((name) => [name, portFrom(name, environment[portVariable(name)])]))
  return {
    host: '127.0.0.1',
    stackDir: resolve(projectDir, environment['LABAN_STACK_DIR'] || join('.laban', 'stack')),
    cacheDir: resolve(environment['LABAN_CACHE_DIR'] || join(homedir(), '.cache', 'laban')),
    ports: ports as Record<PortName, number>,
    kafkaVersion: environment['LABAN_STACK_KAFKA_VERSION'] || versions.kafka,
  }
}

function portFrom(name: PortName, text: string | undefined): number {
  if (text === undefined || text === '') return defaultPorts[name]
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  throw new StackError(`${portVariable(name)}=${text} is not a port`, 'Set it to a number from 1 to 65535.')
}
