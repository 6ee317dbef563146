/**
 * Short bad days of an agent that runs: servers and wires that fail for some seconds, and records that are too large. While it lasts
 * the process is live and says why it is not ready; afterwards everything has been handled once. Longer ones: `npm run trial -- bad-days`.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OutgoingRecord } from '../../runtime/ports/broker.ts'
import { startPrivateRedis, type PrivateRedis } from '../conformance/store-server.ts'
import { startOwnKafka, type OwnKafka } from '../harness/own-kafka.ts'
import { countRecords, Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { readTopic } from '../harness/read-topic.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'
import { waitFor } from '../harness/wait.ts'
import { TRIAL_CONTRACTS } from './agents/trial.ts'

const AGENTS = ['noter', 'large'].map((name) => join(import.meta.dirname, 'agents', name))
const BROKER_AWAY = 'the broker does not answer'
const STORE_AWAY = 'the store does not answer'
const PATIENCE_MS = 60_000
/** Half of it without an answer, and the brokers are away. The lease is renewed every third of it: so soon an idle process misses Redis. */
const SESSION_MS = 6_000

let kafka: OwnKafka
let redis: PrivateRedis
let registry: TcpProxy
let deployment: Deployment
let log: OpenLog
let agents: AgentProcess
let published = 0

/** In the order in which they were opened. */
const opened: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  kafka = await startOwnKafka()
  opened.push(() => kafka.close())
  redis = await startPrivateRedis()
  opened.push(() => redis.close())
  registry = await TcpProxy.start(await stackAddress('registryUrl'))
  opened.push(() => registry.refuse())
  deployment = await Deployment.make('bad-days', {
    agents: AGENTS,
    contractsDir: TRIAL_CONTRACTS,
    env: {
      LABAN_BROKERS: kafka.brokers,
      LABAN_REDIS_URL: redis.url,
      LABAN_REGISTRY_URL: registry.url,
      LABAN_LEASE_MS: String(SESSION_MS),
      LABAN_KAFKA_SESSION_TIMEOUT_MS: String(SESSION_MS),
    },
  })
  opened.push(() => deployment.stop())
  agents = deployment.start(AGENTS)
  await agents.ready
  log = await deployment.open()
  opened.push(() => log.close())
}, 120_000)
afterAll(async () => {
  for (const close of opened.toReversed()) await close()
})

/** Publishes so many first events of a lane. */
async function publish(count: number, lane = 'a'): Promise<void> {
  const producer = await log.broker.producer()
  const record = (): OutgoingRecord => {
    const number = published++
    const value = log.codec.encode('trial.begun', { number, lane })
    return { topic: 'trial.begun', key: String(number), value, headers: {} }
  }
  await producer.send(Array.from({ length: count }, record))
  await producer.close()
}

/** Waits until every event has been noted, and says that none was noted twice and none has failed. */
async function allNoted(): Promise<void> {
  const isThrough = async (): Promise<boolean> => (await countRecords(log, ['trial.noted'])) >= published
  await waitFor(isThrough, { timeoutMs: PATIENCE_MS, what: `${published} noted events` })
  const ids = (await readTopic(log.broker, 'trial.noted')).map(({ headers }) => String(headers['ce_id']))
  expect(new Set(ids).size).toBe(published)
  expect(await countRecords(log, ['trial.noter.dead-letter'])).toBe(0)
}

async function isUnready(problem: string | RegExp): Promise<void> {
  const hasSaid = async (): Promise<boolean> => {
    const { status, problems } = await agents.health('ready')
    return status === 503 && problems.some((text) => new RegExp(problem).test(text))
  }
  await waitFor(hasSaid, { timeoutMs: PATIENCE_MS, what: `/ready to say ${String(problem)}` })
  expect(await agents.health('live')).toMatchObject({ status: 200 })
}

async function isReady(): Promise<void> {
  const isWell = async (): Promise<boolean> => (await agents.health('ready')).status === 200
  await waitFor(isWell, { timeoutMs: PATIENCE_MS, what: 'readiness' })
}

/** The log names the code and what to do. */
function expectTold(code: string): void {
  const lines = agents.running.stderr().split('\n')
  const told = lines.find((line) => line.includes(`"code":"${code}"`))
  expect(told).toContain('"remedy":"')
}

describe('a wire to the brokers', () => {
  it('that is cut: said at once, and nothing is lost', async () => {
    const [broker] = kafka.nodes
    await publish(20)
    await broker?.wire.refuse()
    await isUnready(BROKER_AWAY)
    expectTold('LABAN_BROKER_UNAVAILABLE')
    await broker?.wire.accept()
    await publish(20)
    await allNoted()
    await isReady()
  })

  it('that is silent: said after half a session although nothing is published, and nothing is lost', async () => {
    const [broker] = kafka.nodes
    await isReady()
    broker?.wire.hush()
    await isUnready(BROKER_AWAY)
    await broker?.wire.accept()
    await publish(20)
    await allNoted()
    await isReady()
  })
})

describe('other servers', () => {
  it('Redis killed and started again: said although nothing is to do, and nothing fails', async () => {
    await isReady()
    await redis.kill()
    await isUnready(STORE_AWAY)
    expectTold('LABAN_STORE_UNAVAILABLE')
    await publish(20)
    await redis.start()
    await allNoted()
    await isReady()
  })

  it('the registry away: who runs goes on', async () => {
    await registry.refuse()
    await publish(20)
    await allNoted()
    await registry.accept()
  })
})

describe('what is too large', () => {
  const ended = (count: number): Promise<unknown> =>
    waitFor(async () => (await countRecords(log, ['trial.ended'])) >= count, {
      timeoutMs: PATIENCE_MS,
      what: `${count} large events`,
    })

  it('for its contract is a dead letter, and others go on', async () => {
    await publish(1, '1x2000000')
    const letters = (): Promise<number> => countRecords(log, ['trial.large.dead-letter'])
    await waitFor(async () => (await letters()) === 1, { timeoutMs: PATIENCE_MS, what: 'the dead letter' })
    const [letter] = await readTopic(log.broker, 'trial.large.dead-letter')
    expect(JSON.stringify(letter?.headers)).toContain('LABAN_BROKER_MESSAGE_TOO_LARGE')
    await allNoted()
  })

  it('for one record, but is several together, is published', async () => {
    await publish(1, '3x700000')
    await ended(3)
    await isReady()
  })

  it('for a topic whose limit was lowered waits, says so, and goes on when there is room', async () => {
    const { admin } = log.broker
    await admin.setTopicConfig('trial.ended', { 'max.message.bytes': '100000' })
    await publish(1, '1x500000')
    await isUnready('trial.large: publish blocked for 1 handlings')
    expectTold('LABAN_BROKER_MESSAGE_TOO_LARGE')
    await admin.setTopicConfig('trial.ended', { 'max.message.bytes': '1100000' })
    await ended(4)
    await isReady()
  })
})
