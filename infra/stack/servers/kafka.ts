/** Kafka: one broker that is its own controller (KRaft), from Maven artifacts. */
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureCached } from '../cache.ts'
import type { Launch } from '../daemon.ts'
import type { Server } from '../server.ts'
import { heaps, kafkaProperties, type StackSettings } from '../settings.ts'
import { run } from '../shell.ts'
import { ensureJava, ensureMaven } from '../toolchain.ts'
import { countBrokers } from './kafka-probe.ts'

const assets = join(import.meta.dirname, '..', 'kafka')
const clusterId = 'bGFiYW4tbG9jYWwtc3RhY2s'

/** The Kafka broker. */
export const kafka: Server = {
  name: 'kafka',
  ports: ['kafka', 'kafkaController'],
  startLimitMs: 90_000,
  address: ({ host, ports }) => `${host}:${ports.kafka}`,
  install: installKafka,
  prepare: prepareKafka,
  probe: probeKafka,
}

function cacheNameOf({ kafkaVersion }: Pick<StackSettings, 'kafkaVersion'>): string {
  return `kafka-${kafkaVersion}`
}

async function installKafka(settings: StackSettings): Promise<void> {
  const { cacheDir, kafkaVersion } = settings
  await ensureJava(cacheDir)
  await ensureCached(cacheDir, cacheNameOf(settings), async (scratch) => {
    const maven = await ensureMaven(cacheDir)
    const args = ['-B', '-q', '-f', join(assets, 'pom.xml'), `-Dkafka.version=${kafkaVersion}`]
    const remedy = 'Maven Central must be reachable (a mirror can be set in ~/.m2/settings.xml). Then run `up` again.'
    await run(maven, [...args, 'dependency:copy-dependencies', `-DoutputDirectory=${scratch}`], { remedy })
  })
}

/** How to run Kafka's programs, once they are installed: `java`, and the arguments that come before a class. */
export async function kafkaProgram(
  settings: StackSettings,
): Promise<{ readonly java: string; readonly classPath: readonly string[] }> {
  const { cacheDir } = settings
  const logging = `-Dlog4j2.configurationFile=${join(assets, 'log4j2.yaml')}`
  return { java: await ensureJava(cacheDir), classPath: ['-cp', join(cacheDir, cacheNameOf(settings), '*'), logging] }
}

async function prepareKafka(settings: StackSettings): Promise<Launch> {
  const dir = join(settings.stackDir, 'kafka')
  const dataDir = join(dir, 'data')
  const configFile = join(dir, 'server.properties')
  await mkdir(dir, { recursive: true })
  await writeFile(configFile, serverProperties(settings, dataDir))
  const { java, classPath } = await kafkaProgram(settings)
  if (!existsSync(join(dataDir, 'meta.properties'))) {
    await rm(dataDir, { recursive: true, force: true })
    await run(java, [...classPath, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', configFile])
  }
  // What the broker's own start script sets, less the logging of the collector.
  const flags = [
    heaps.kafka,
    '-Xms256m',
    '-server',
    '-XX:+UseG1GC',
    '-XX:MaxGCPauseMillis=20',
    '-Djava.awt.headless=true',
  ]
  return { command: java, args: [...flags, ...classPath, 'kafka.Kafka', configFile], cwd: dir, marker: configFile }
}

function serverProperties({ host, ports }: StackSettings, dataDir: string): string {
  const addresses = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${host}:${ports.kafkaController}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${host}:${ports.kafka},CONTROLLER://${host}:${ports.kafkaController}`,
    'advertised.listeners': `PLAINTEXT://${host}:${ports.kafka}`,
    'log.dirs': dataDir,
  }
  const lines = Object.entries({ ...addresses, ...kafkaProperties }).map(([key, value]) => `${key}=${value}`)
  return `${lines.join('\n')}\n`
}

async function probeKafka({ host, ports }: StackSettings): Promise<void> {
  const brokers = await countBrokers(host, ports.kafka)
  if (brokers === 0) throw new Error('the broker has not joined its cluster yet')
}
