/**
 * Partitions that are added to a topic in use: running agents notice, an event id that lands on another partition is still the same
 * event, and that order may break once is said. With `topics apply --drain` it does not break.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeEnvelope } from '../../contracts/envelope.ts'
import type { BrokerRecord, TopicPartition } from '../../runtime/ports/broker.ts'
import { findEvents, isSettled } from '../harness/check-events.ts'
import { countRecords, Deployment, type OpenLog } from '../harness/processes.ts'
import { readTopic } from '../harness/read-topic.ts'
import { waitFor } from '../harness/wait.ts'
import { NOTES, ORDERS, TELLER, writeShopContracts } from './agents/shop.ts'

const BEFORE = 2
const AFTER = 4
const AGENT = 'shop.teller'
/** A running member looks for new partitions every 30 s. */
const NOTICE_TIMEOUT_MS = 60_000
const IN_USE = 75

let deployment: Deployment
let contractsFolder: string
let contractsDir: string
let log: OpenLog

beforeAll(async () => {
  contractsFolder = mkdtempSync(join(tmpdir(), 'laban-shop-'))
  contractsDir = writeShopContracts(contractsFolder, 'old', BEFORE)
  deployment = await Deployment.make('partitions', { agents: [TELLER], contractsDir, env: { LABAN_AGENTS: TELLER } })
  log = await deployment.open()
}, 60_000)

afterAll(async () => {
  await deployment.stop()
  await log.close()
  rmSync(contractsFolder, { recursive: true })
}, 90_000)

/** Publishes orders `from` to `to`, as a user does. */
async function publish(from: number, to: number): Promise<void> {
  const file = join(deployment.folder, 'orders.jsonl')
  const lines = Array.from({ length: to - from }, (_, index) => JSON.stringify({ number: from + index, coupon: 'x' }))
  writeFileSync(file, `${lines.join('\n')}\n`)
  const { code, stderr } = await deployment.laban([
    'publish',
    ORDERS,
    '--file',
    file,
    '--id',
    'number',
    '--on',
    'kafka',
  ])
  expect(code, stderr).toBe(0)
}

/** Appends a record as it is to another partition. */
async function appendTo(partition: number, { key, value, headers }: BrokerRecord): Promise<void> {
  const producer = await log.broker.producer()
  const named = Object.entries(headers).flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]))
  await producer.send([{ topic: ORDERS, partition, key, value, headers: Object.fromEntries(named) }])
  await producer.close()
}

function settled(): Promise<unknown> {
  const isDone = (): Promise<boolean> => isSettled(log, { [AGENT]: [ORDERS] })
  return waitFor(isDone, { timeoutMs: NOTICE_TIMEOUT_MS, what: 'everything to be handled and committed' })
}

function idOf(record: BrokerRecord & TopicPartition): string {
  return decodeEnvelope(record.headers, record).id
}

describe('partitions added to a topic while its agent runs', { timeout: 120_000 }, () => {
  it('are read without a restart; the same event there is skipped, a new one is handled', async () => {
    const teller = deployment.start([TELLER])
    await teller.ready
    await publish(0, 20)
    await settled()
    expect(await countRecords(log, [NOTES])).toBe(20)

    await log.broker.admin.addPartitions(ORDERS, AFTER)
    const [handled] = await readTopic(log.broker, ORDERS)
    if (handled === undefined) throw new Error('nothing was published')
    await appendTo(AFTER - 1, handled)
    await publish(20, 60)
    const placed = await readTopic(log.broker, ORDERS)
    expect(placed.filter(({ partition }) => partition >= BEFORE).length).toBeGreaterThan(1)
    await settled()

    expect(teller.running.stderr()).toContain('a partition was added')
    const { copies, idsByTopic, violations } = await findEvents(log, [ORDERS, NOTES])
    expect(violations).toEqual([])
    // The one copy is the one that was put there; it has made no note.
    expect(copies).toBe(1)
    expect(idsByTopic.get(NOTES)?.size).toBe(60)
    expect(await countRecords(log, [NOTES])).toBe(60)
    expect(placed.filter((record) => idOf(record) === idOf(handled))).toHaveLength(2)
    expect(await teller.end('SIGTERM')).toMatchObject({ code: 0 })
  })

  it('are seen by `laban doctor`, when the contract does not know of them', async () => {
    const { stdout } = await deployment.laban(['doctor'])
    expect(stdout).toContain(`${ORDERS} has ${AFTER} partitions, more than its contract says`)
  })

  it('are added by `topics apply --drain` only when the agent has finished what there is', async () => {
    const table = join(contractsDir, 'topics.json')
    const { topics } = JSON.parse(readFileSync(table, 'utf8')) as { topics: object }
    writeFileSync(table, JSON.stringify({ defaults: { partitions: AFTER + 2 }, topics }))
    await publish(60, 70)
    const drain = (seconds: number): ReturnType<Deployment['laban']> =>
      deployment.laban(['topics', 'apply', TELLER, '--drain', '--drain-timeout-s', String(seconds)])
    const inUse = await drain(1)
    expect(inUse.code).toBe(IN_USE)
    expect(inUse.stderr).toContain(`waiting: ${ORDERS}: ${AGENT} has 10 events to finish`)
    expect(inUse.stderr).toContain(`LABAN_TOPIC_IN_USE: No partitions were added to ${ORDERS}`)
    expect(await log.broker.admin.describeTopics([ORDERS])).toMatchObject([{ partitions: AFTER }])

    const draining = drain(60)
    await deployment.start([TELLER]).ready
    const drained = await draining
    expect(drained.code, drained.stderr).toBe(0)
    expect(await log.broker.admin.describeTopics([ORDERS])).toMatchObject([{ partitions: AFTER + 2 }])
    expect(await countRecords(log, [NOTES])).toBe(70)
  })
})
