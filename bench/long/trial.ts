/** A trial of long handlers: a namespace on the real stack, its processes, and what must hold of everything that they did. */
import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agentTopicSettings } from '../../contracts/agent-topics.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import { createCodec } from '../../contracts/create-codec.ts'
import { encodeEnvelope } from '../../contracts/envelope.ts'
import { deriveId } from '../../contracts/ids.ts'
import { createConfluentRegistry } from '../../contracts/registry-confluent.ts'
import { resolveSchemaIds } from '../../contracts/schema-ids.ts'
import { plannedTopic } from '../../contracts/topic-plan.ts'
import { createKafkaBroker } from '../../runtime/adapters/kafka/broker.ts'
import type { Broker, BrokerProducer } from '../../runtime/ports/broker.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { stackAddress } from '../../test/harness/real-stack.ts'
import { uniqueName } from '../../test/harness/unique-name.ts'
import { ANSWERED, ASKED, LONG_AGENT, longAgent, longContracts } from './agent.ts'
import type { LongReport, LongWorkerSettings } from './worker.ts'

/** One process. */
export interface LongWorker {
  readonly ready: Promise<void>
  report(): Promise<LongReport>
  /** Drains it; gives how long that took. */
  stop(): Promise<number>
}

/** What the files of a trial say. */
export interface Counts {
  /** Events whose handler ran more than once. */
  readonly repeated: number
  readonly runs: number
  /** Records that a process took over which had one before. */
  readonly redelivered: number
  /** Latency of events whose handler does not wait, rising. */
  readonly quickLatenciesMs: readonly number[]
}

/** See the file's head. */
export class LongTrial {
  readonly broker: Broker
  readonly #settings: LongWorkerSettings
  readonly #folder: string
  readonly #producer: BrokerProducer
  readonly #codec: EventCodec
  readonly #workers: ChildProcess[] = []
  readonly #quick = new Set<number>()
  #number = 0

  private constructor(
    parts: {
      readonly broker: Broker
      readonly producer: BrokerProducer
      readonly codec: EventCodec
      readonly folder: string
    },
    settings: LongWorkerSettings,
  ) {
    this.broker = parts.broker
    this.#producer = parts.producer
    this.#codec = parts.codec
    this.#folder = parts.folder
    this.#settings = settings
  }

  static async make(options: {
    readonly partitions: number
    readonly maxInFlight?: number
    readonly sessionMs?: number
  }): Promise<LongTrial> {
    const { partitions, maxInFlight = 1_000, sessionMs = 10_000 } = options
    const namespace = uniqueName('long')
    const [brokers, redisUrl, registryUrl] = [
      await stackAddress('brokers'),
      await stackAddress('redisUrl'),
      await stackAddress('registryUrl'),
    ]
    const broker = createKafkaBroker({ brokers, clientId: 'long', namespace, clock: systemClock, logger: silentLogger })
    await broker.connect()
    const contracts = longContracts(partitions)
    const own = agentTopicSettings(longAgent('', 1), contracts)
    await broker.admin.createTopics([...contracts.topics.values(), ...own].map(plannedTopic))
    const registry = createConfluentRegistry({ url: registryUrl, timeoutMs: 10_000 })
    const needed = contracts.topics.keys()
    const schemaIds = await resolveSchemaIds(contracts, registry, needed, { register: true, namespace })
    const folder = mkdtempSync(join(tmpdir(), 'laban-long-'))
    const runsFile = join(folder, 'runs')
    writeFileSync(runsFile, '')
    const codec = createCodec({ contracts, registry, schemaIds })
    const parts = { broker, producer: await broker.producer(), codec, folder }
    const drainTimeoutMs = 120_000
    const settings = {
      namespace,
      brokers,
      redisUrl,
      registryUrl,
      partitions,
      maxInFlight,
      drainTimeoutMs,
      runsFile,
      sessionMs,
    }
    return new LongTrial(parts, settings)
  }

  /** Starts a process. */
  start(): LongWorker {
    const child = fork(join(import.meta.dirname, 'worker.ts'), [JSON.stringify(this.#settings)], {
      execArgv: ['--conditions=laban-source'],
    })
    this.#workers.push(child)
    const hear = <T>(kind: string): Promise<T> =>
      new Promise((resolve, reject) => {
        const listen = (message: { kind: string } & T): void => {
          if (message.kind !== kind) return
          child.off('message', listen as never)
          resolve(message)
        }
        child.on('message', listen as never)
        child.once('exit', (code) => reject(new Error(`a worker ended with ${code}`)))
      })
    const ready = hear('ready').then(() => undefined)
    return {
      ready,
      report: async () => {
        child.send({ kind: 'report' })
        return (await hear<{ report: LongReport }>('report')).report
      },
      stop: async () => {
        const startedMs = performance.now()
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.send({ kind: 'stop' })
        await ended
        return performance.now() - startedMs
      },
    }
  }

  /** Sends events whose handlers take so long; each has a key of its own. */
  async ask(count: number, waitMs: number): Promise<void> {
    const records = Array.from({ length: count }, () => {
      const number = this.#number++
      if (waitMs === 0) this.#quick.add(number)
      const id = deriveId(this.#settings.namespace, String(number))
      const value = this.#codec.encode(ASKED, { number, waitMs, sentAtMs: Date.now() })
      const time = new Date().toISOString()
      const headers = encodeEnvelope({ id, type: ASKED, source: 'bench', time, flowId: id, causes: [], hop: 0 })
      return { topic: ASKED, key: id, value, headers }
    })
    await this.#producer.send(records)
  }

  /** Sends quick events of keys of their own at an even rate until the function is called that this returns. */
  askQuickly(perSecond: number): () => Promise<void> {
    let isOver = false
    const sending = (async () => {
      for (let due = performance.now(); !isOver; due += 1_000 / perSecond) {
        await this.ask(1, 0)
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
      }
    })()
    return () => {
      isOver = true
      return sending
    }
  }

  get asked(): number {
    return this.#number
  }

  /** Records on the log that nobody has committed, and the bytes of the largest commit metadata. */
  async lag(): Promise<{ readonly records: number; readonly metadataBytes: number }> {
    const commits = await this.broker.admin.groupOffsets(LONG_AGENT, [ASKED])
    let records = 0
    for (const { partition, startOffset, endOffset } of await this.broker.admin.offsets(ASKED)) {
      records += endOffset - (commits.find((commit) => commit.partition === partition)?.offset ?? startOffset)
    }
    return { records, metadataBytes: Math.max(0, ...commits.map(({ metadata }) => metadata.length)) }
  }

  /** Records that were published in answer. */
  async answers(): Promise<number> {
    const offsets = await this.broker.admin.offsets(ANSWERED)
    return offsets.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)
  }

  counts(): Counts {
    const runs = new Map<number, number>()
    const got = new Map<string, number>()
    const quickLatenciesMs: number[] = []
    for (const line of readFileSync(this.#settings.runsFile, 'utf8').split('\n')) {
      const [kind, first = '', second = ''] = line.split(' ')
      if (kind === 'got') got.set(`${first}/${second}`, (got.get(`${first}/${second}`) ?? 0) + 1)
      if (kind !== 'run') continue
      runs.set(Number(first), (runs.get(Number(first)) ?? 0) + 1)
      if (this.#quick.has(Number(first))) quickLatenciesMs.push(Number(second))
    }
    return {
      runs: [...runs.values()].reduce((sum, count) => sum + count, 0),
      repeated: [...runs.values()].filter((count) => count > 1).length,
      redelivered: [...got.values()].reduce((sum, count) => sum + count - 1, 0),
      quickLatenciesMs: quickLatenciesMs.sort((a, b) => a - b),
    }
  }

  /** Ends what still runs and removes the files. */
  async close(): Promise<void> {
    for (const child of this.#workers) if (child.exitCode === null) child.kill('SIGKILL')
    await this.#producer.close()
    await this.broker.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
