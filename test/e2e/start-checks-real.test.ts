/**
 * What an operator sees: a start that cannot succeed names its reason and the command that helps, a server that goes away stops
 * nobody for good, health tells the truth, and an agent can be moved to read again.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { OutgoingRecord } from '../../runtime/ports/broker.ts'
import { startPrivateRedis, type PrivateRedis } from '../conformance/store-server.ts'
import { countRecords, Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { readTopic } from '../harness/read-topic.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'
import { waitFor } from '../harness/wait.ts'
import { startCounter, TRIAL_CONTRACTS } from './agents/trial.ts'

const NOTER = join(import.meta.dirname, 'agents', 'noter.ts')
const LEFT_WORKER = join(import.meta.dirname, 'agents', 'left-worker.ts')
const AGENT = 'trial.noter'
const OPTIONS = { agents: [NOTER], contractsDir: TRIAL_CONTRACTS, env: { LABAN_AGENTS: NOTER } }
const NOTED = ['trial.noted']
/** Nothing listens there. */
const NOWHERE = '127.0.0.1:9'
const UNAVAILABLE = 69
const MAX_END_MS = 4_500

/** Publishes first events as another program would. */
async function produce({ broker, codec }: OpenLog, numbers: readonly number[]): Promise<void> {
  const producer = await broker.producer()
  const record = (number: number): OutgoingRecord => ({
    topic: 'trial.begun',
    key: String(number),
    value: codec.encode('trial.begun', { number, lane: 'a' }),
    headers: {},
  })
  await producer.send(numbers.map(record))
  await producer.close()
}

function count(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

function noted(log: OpenLog, wanted: number): Promise<unknown> {
  const reached = async (): Promise<boolean> => (await countRecords(log, NOTED)) >= wanted
  return waitFor(reached, { timeoutMs: 60_000, what: `${wanted} noted events` })
}

describe('a start that cannot succeed', () => {
  it('names the command that makes the topics, then the one that registers the schemas', async () => {
    const bare = await Deployment.plan('bare', OPTIONS)
    onTestFinished(async () => void (await bare.stop()))
    const withoutTopics = await bare.laban(['run', NOTER])
    expect(withoutTopics.code).toBe(UNAVAILABLE)
    expect(withoutTopics.stderr).toContain('LABAN_TOPIC_MISSING: Topic ')
    expect(withoutTopics.stderr).toMatch(/next +laban topics apply/)

    expect(await bare.laban(['topics', 'apply', NOTER])).toMatchObject({ code: 0 })
    const withoutSchemas = await bare.laban(['run', NOTER])
    expect(withoutSchemas.code).toBe(UNAVAILABLE)
    expect(withoutSchemas.stderr).toMatch(
      /LABAN_SCHEMA_MISSING: The contract of (trial|laban)\.\S+ is not registered under subject /,
    )
    expect(withoutSchemas.stderr).toContain(`under subject ${bare.namespace}.`)
    expect(withoutSchemas.stderr).toMatch(/next +laban contracts push/)

    const looked = await bare.laban(['doctor', '--json'])
    expect(looked.code).toBe(UNAVAILABLE)
    const failed = (JSON.parse(looked.stdout) as { name: string; status: string; remedy?: string }[])
      .filter(({ status }) => status === 'failed')
      .map(({ name, remedy }) => ({ name, remedy }))
    expect(failed).toEqual([{ name: 'schemas', remedy: 'Run `laban contracts push`.' }])
  })

  it.each([
    ['LABAN_BROKER_UNAVAILABLE', { LABAN_BROKERS: NOWHERE }],
    ['LABAN_REGISTRY_UNAVAILABLE', { LABAN_REGISTRY_URL: `http://${NOWHERE}` }],
    ['LABAN_STORE_UNAVAILABLE', { LABAN_REDIS_URL: `redis://${NOWHERE}` }],
  ])('says %s and ends', async (code, env) => {
    const deployment = await Deployment.make('unreachable', OPTIONS)
    onTestFinished(async () => void (await deployment.stop()))
    const startedMs = performance.now()
    const ended = await deployment.laban(['run', NOTER], { env })
    console.info(`${code} after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
    expect(ended.code).toBe(UNAVAILABLE)
    expect(ended.stderr).toContain(`${code}: `)
    expect(ended.stderr).toContain(NOWHERE)
    expect(ended.stderr).toMatch(/remedy +\S/)
  })

  it('refuses a Redis that may evict claims, unless told otherwise', async () => {
    const evicting = await startPrivateRedis({ 'maxmemory-policy': 'allkeys-lru' })
    try {
      const deployment = await Deployment.make('evicting', OPTIONS)
      onTestFinished(async () => void (await deployment.stop()))
      const env = { LABAN_REDIS_URL: evicting.url }
      const ended = await deployment.laban(['run', NOTER], { env })
      expect(ended.code).toBe(UNAVAILABLE)
      expect(ended.stderr).toContain('LABAN_STORE_UNSAFE')
      expect(ended.stderr).toContain('maxmemory-policy is allkeys-lru')
      const accepted = deployment.start([NOTER], { ...env, LABAN_REDIS_ALLOW_UNSAFE: 'true' })
      await accepted.ready
      expect(await accepted.end('SIGTERM')).toMatchObject({ code: 0 })
    } finally {
      await evicting.close()
    }
  })
})

describe('a Redis that fills up', () => {
  let redis: PrivateRedis
  let deployment: Deployment
  let log: OpenLog

  beforeAll(async () => {
    redis = await startPrivateRedis({ maxmemory: '8mb', 'maxmemory-policy': 'noeviction' })
    deployment = await Deployment.make('full-redis', {
      ...OPTIONS,
      env: { ...OPTIONS.env, LABAN_REDIS_URL: redis.url },
    })
    log = await deployment.open()
  })
  afterAll(async () => {
    await deployment.stop()
    await log.close()
    await redis.close()
  })

  it('pauses consumption; once there is room everything is handled and nothing has failed', async () => {
    const noter = deployment.start([NOTER])
    await noter.ready
    await produce(log, count(0, 20))
    await noted(log, 20)

    const fillers = await fill(redis)
    await produce(log, count(20, 220))
    const unready = await waitFor(
      async () => {
        const health = await noter.health('ready')
        return health.status === 503 ? health : undefined
      },
      { timeoutMs: 30_000, what: 'the process to be not ready' },
    )
    expect(unready.problems).toContain('the store does not answer')
    expect(await noter.health('live')).toMatchObject({ status: 200 })
    expect(await countRecords(log, NOTED)).toBeLessThan(220)

    await redis.admin.del(...fillers)
    await noted(log, 220)
    const ids = (await readTopic(log.broker, 'trial.noted')).map(({ headers }) => String(headers['ce_id']))
    expect(new Set(ids).size).toBe(220)
    expect(ids).toHaveLength(220)
    expect(await countRecords(log, [`${AGENT}.dead-letter`])).toBe(0)
    await waitFor(async () => (await noter.health('ready')).status === 200, { timeoutMs: 30_000, what: 'readiness' })
  })
})

/** Writes until the server has no room. Gives the keys. */
async function fill({ admin }: PrivateRedis): Promise<readonly string[]> {
  const keys: string[] = []
  for (let bytes = 256 * 1024; bytes >= 16;) {
    const key = `filler:${keys.length}`
    try {
      await admin.set(key, 'x'.repeat(bytes))
      keys.push(key)
    } catch {
      bytes = Math.floor(bytes / 4)
    }
  }
  return keys
}

describe('a running agent', () => {
  let redis: TcpProxy
  let deployment: Deployment
  let log: OpenLog
  let noter: AgentProcess

  beforeAll(async () => {
    redis = await TcpProxy.start(await stackAddress('redisUrl'))
    deployment = await Deployment.make('running', { ...OPTIONS, env: { ...OPTIONS.env, LABAN_REDIS_URL: redis.url } })
    log = await deployment.open()
    noter = deployment.start([NOTER])
    await noter.ready
  })
  afterAll(async () => {
    await deployment.stop()
    await log.close()
    await redis.refuse()
  })

  it('is found well by `laban doctor`', async () => {
    const { code, stdout } = await deployment.laban(['doctor'])
    expect(code, stdout).toBe(0)
    for (const name of ['contracts', 'agents', 'Kafka', 'topics', 'schemas', 'Redis']) {
      expect(stdout).toMatch(new RegExp(`^ok +${name} `, 'm'))
    }
  })

  it('is live all the time, and ready only while it can work', async () => {
    expect(await noter.health('live')).toMatchObject({ status: 200 })
    expect(await noter.health('ready')).toEqual({ status: 200, problems: [] })
    await redis.refuse()
    await produce(log, count(0, 10))
    await waitFor(async () => (await noter.health('ready')).status === 503, { timeoutMs: 30_000, what: 'not ready' })
    expect(await noter.health('ready')).toMatchObject({ problems: ['the store does not answer'] })
    expect(await noter.health('live')).toMatchObject({ status: 200 })
    await redis.accept()
    await noted(log, 10)
    await waitFor(async () => (await noter.health('ready')).status === 200, { timeoutMs: 30_000, what: 'ready again' })
  })

  it('is moved by `laban agent reset` only when it does not run, after a dry run, and handles nothing twice', async () => {
    const reset = (...args: string[]): ReturnType<Deployment['laban']> =>
      deployment.laban(['agent', 'reset', AGENT, '--to', 'earliest', '--on', 'kafka', '--json', ...args])
    const committed = async (): Promise<number> => {
      const commits = await log.broker.admin.groupOffsets(AGENT, ['trial.begun'])
      return commits.reduce((sum, { offset }) => sum + offset, 0)
    }
    await waitFor(async () => (await committed()) === 10, { timeoutMs: 30_000, what: 'all 10 events to be committed' })
    const refused = await reset()
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain(AGENT)
    expect(await committed()).toBe(10)

    expect(await noter.end('SIGTERM')).toMatchObject({ code: 0 })
    const dry = await reset('--dry-run')
    expect(dry.code, dry.stderr).toBe(0)
    const steps = (JSON.parse(dry.stdout) as { applied: boolean; steps: { fromOffset: number; toOffset: number }[] })
      .steps
    expect(steps.reduce((sum, { fromOffset, toOffset }) => sum + fromOffset - toOffset, 0)).toBe(10)
    expect(await committed()).toBe(10)

    expect(JSON.parse((await reset()).stdout)).toMatchObject({ applied: true, steps })
    expect(await committed()).toBe(0)
    const again = deployment.start([NOTER])
    await again.ready
    await waitFor(async () => (await committed()) === 10, { timeoutMs: 30_000, what: 'all 10 events to be read again' })
    expect(await countRecords(log, NOTED)).toBe(10)
  })
})

describe('an agent that is told to stop while a handler runs', () => {
  it('is live but not ready, finishes the handler, publishes its output and ends well', async () => {
    const gate = Promise.withResolvers<undefined>()
    const counter = await startCounter(gate.promise)
    const env = { TRIAL_COUNTER_URL: counter.url }
    const deployment = await Deployment.make('draining', { ...OPTIONS, agents: [LEFT_WORKER], env })
    const log = await deployment.open()
    try {
      const worker = deployment.start([LEFT_WORKER])
      await worker.ready
      const value = log.codec.encode('trial.left-wanted', { number: 0, nonce: '', lane: '' })
      const producer = await log.broker.producer()
      await producer.send([{ topic: 'trial.left-wanted', key: 'k', value, headers: {} }])
      await producer.close()
      await waitFor(() => counter.calls.size === 1, { timeoutMs: 30_000, what: 'the handler to run' })

      const ending = worker.end('SIGTERM')
      const draining = await waitFor(
        async () => {
          const health = await worker.health('ready')
          return health.status === 503 ? health : undefined
        },
        { timeoutMs: 30_000, what: 'the process to be not ready' },
      )
      expect(draining.problems).toContain('the process is draining')
      expect(await worker.health('live')).toMatchObject({ status: 200 })
      expect(await countRecords(log, ['trial.left-done'])).toBe(0)

      const startedMs = performance.now()
      gate.resolve(undefined)
      expect(await ending).toMatchObject({ code: 0 })
      // Nothing of what a process waits for at most may keep it once it has arrived.
      const durationMs = performance.now() - startedMs
      console.info(`ended ${Math.round(durationMs)} ms after its last handler`)
      expect(durationMs).toBeLessThan(MAX_END_MS)
      expect(await countRecords(log, ['trial.left-done'])).toBe(1)
      expect([...counter.calls.values()]).toEqual([1])
    } finally {
      gate.resolve(undefined)
      await deployment.stop()
      await log.close()
      await counter.close()
    }
  })
})
