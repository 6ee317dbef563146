/** One Kafka process that a test starts itself: formatted once, started, killed, stopped and continued by its process id. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { countBrokers } from '../../infra/stack/servers/kafka-probe.ts'
import { kafka, kafkaProgram } from '../../infra/stack/servers/kafka.ts'
import { resolveSettings } from '../../infra/stack/settings.ts'
import { run } from '../../infra/stack/shell.ts'
import { waitFor } from './wait.ts'

/** How to make one. */
export interface KafkaNodeOptions {
  /** For its settings; its data lies where they say. */
  readonly folder: string
  /** `server.properties`. */
  readonly properties: Readonly<Record<string, string>>
  readonly clusterId: string
  /** Where to ask whether it is up: a port without TLS and login. */
  readonly probePort: number
  /** More arguments of `StorageTool format`. */
  readonly formatArgs?: readonly string[]
  /** A log4j2 file. @default the stack's */
  readonly logging?: string
}

/** A broker process. */
export interface KafkaNode {
  /** Starts it again, with the data it had; resolves when it answers. */
  start(): Promise<void>
  /** SIGTERM hands its partitions over first. Resolves when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  readonly isRunning: boolean
  /** The last that it said. */
  said(): string
  /** Runs one of Kafka's own tools and gives what it printed. */
  tool(mainClass: string, args: readonly string[]): Promise<string>
}

const START_LIMIT_MS = 90_000
const QUICK = ['-Xmx320m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const SAID_CHARS = 4_000

/** Ended with this process, also when a test file ends before its clean-up. */
const servers = new Set<ChildProcess>()
process.once('exit', () => {
  for (const server of servers) server.kill('SIGKILL')
})

/** Formats its storage; it runs after `start`. Kafka's files are those that the stack has fetched. */
export async function makeKafkaNode(options: KafkaNodeOptions): Promise<KafkaNode> {
  const { folder, properties, clusterId, probePort, formatArgs = [], logging } = options
  const settings = resolveSettings(join(import.meta.dirname, '..', '..'), process.env)
  await kafka.install(settings)
  const { java, classPath } = await kafkaProgram(settings)
  const quick = [...QUICK, ...classPath, ...(logging === undefined ? [] : [`-Dlog4j2.configurationFile=${logging}`])]
  const configFile = join(folder, 'server.properties')
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(configFile, lines.join(''))
  await run(java, [...quick, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', configFile, ...formatArgs])
  let said = ''
  let server: ChildProcess | undefined
  const isRunning = (): boolean => server !== undefined && server.exitCode === null && server.signalCode === null
  return {
    start: async () => {
      const child = spawn(java, [...quick, 'kafka.Kafka', configFile], { cwd: folder })
      server = child
      servers.add(child)
      child.once('exit', () => servers.delete(child))
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-SAID_CHARS)))
      const isUp = async (): Promise<boolean> => !isRunning() || (await countBrokers('127.0.0.1', probePort)) > 0
      await waitFor(isUp, { timeoutMs: START_LIMIT_MS, what: 'a Kafka of its own' })
      if (!isRunning()) throw new Error(`The Kafka of this test does not start: ${said}`)
    },
    end: async (signal) => {
      if (server === undefined || !isRunning()) return
      const ended = once(server, 'exit')
      server.kill(signal)
      await ended
    },
    signal: (signal) => void server?.kill(signal),
    get isRunning() {
      return isRunning()
    },
    said: () => said,
    tool: (mainClass, args) => run(java, [...quick, mainClass, ...args]),
  }
}
