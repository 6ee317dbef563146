/**
 * The way of a dead letter on real servers, by the command line alone: an agent fails three times, a person sees why, mends it,
 * redrives, and everything downstream completes; doing it again changes nothing.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { OutgoingRecord } from '../../runtime/ports/broker.ts'
import { Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { readTopic } from '../harness/read-topic.ts'
import { readValues } from '../../runtime/internal.ts'
import { waitFor } from '../harness/wait.ts'
import type { Said } from './agents/trial-agent.ts'
import { TRIAL_CONTRACTS } from './agents/trial.ts'

const FRAGILE = join(import.meta.dirname, 'agents', 'fragile.ts')
const TALLY = join(import.meta.dirname, 'agents', 'tally.ts')
const TIMEOUT_MS = 60_000

interface Letter {
  readonly eventId: string
  readonly flowId: string
  readonly code: string
  readonly attempts: number
  readonly status: string
}

let deployment: Deployment
let log: OpenLog
let fragile: AgentProcess

beforeAll(async () => {
  deployment = await Deployment.make('dead-letters', { agents: [FRAGILE, TALLY], contractsDir: TRIAL_CONTRACTS })
  log = await deployment.open()
  fragile = deployment.start([FRAGILE])
  const tally = deployment.start([TALLY])
  await Promise.all([fragile.ready, tally.ready])
}, TIMEOUT_MS)
afterAll(async () => {
  await deployment.stop()
  await log.close()
}, TIMEOUT_MS)

function begun(number: number, lane: string): OutgoingRecord {
  return { topic: 'trial.begun', key: lane, value: log.codec.encode('trial.begun', { number, lane }), headers: {} }
}

async function produce(...records: readonly OutgoingRecord[]): Promise<void> {
  const producer = await log.broker.producer()
  await producer.send(records).finally(() => producer.close())
}

async function laban(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await deployment.laban(args)
  expect({ args, code, stderr }).toMatchObject({ code: 0 })
  return stdout + stderr
}

async function letters(...args: readonly string[]): Promise<readonly Letter[]> {
  const { code, stdout, stderr } = await deployment.laban(['dlq', 'list', '--json', ...args])
  if (code !== 0) throw new Error(stderr)
  return (JSON.parse(stdout) as { letters: Letter[] }[]).flatMap((group) => group.letters)
}

/** Numbers that were noted of a lane, in the order in which they were. */
async function noted(lane: string): Promise<readonly number[]> {
  const numbers: number[] = []
  for await (const { value } of readValues(log, 'trial.noted')) {
    if ((value as Said).lane === lane) numbers.push((value as Said).number)
  }
  return numbers
}

it('is listed, explained, redriven once, and its successors follow it', { timeout: TIMEOUT_MS }, async () => {
  await produce(begun(1, 'a'), begun(2, 'a'), begun(4, 'a'), begun(2, 'b'))
  const [letter] = await waitFor(
    async () => {
      const found = await letters('--agent', 'trial.fragile')
      return found.length > 0 ? found : undefined
    },
    { timeoutMs: 20_000, what: 'a dead letter' },
  )
  if (letter === undefined) throw new Error('no dead letter')
  expect(letter).toMatchObject({ code: 'LABAN_ATTEMPTS_EXHAUSTED', attempts: 3, status: 'open' })
  await waitFor(async () => (await noted('b')).length === 1, { what: 'the other lane' })
  expect(await noted('a')).toEqual([])

  const shown = await laban('dlq', 'show', letter.eventId.slice(0, 8))
  expect(shown).toContain('no odds here: 1')
  expect(shown).toContain('"number": 1')
  expect(shown).toContain(`laban dlq redrive ${letter.eventId}`)
  expect(await laban('flow', letter.flowId)).toContain('dead-lettered after 3 attempts')
  const keptUntil = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10)
  expect(await laban('dlq', 'list')).toContain(`the oldest is kept until ${keptUntil}`)

  expect(await laban('dlq', 'redrive', '--agent', 'trial.fragile', '--dry-run')).toContain('1 would run again')
  await fragile.end('SIGTERM')
  await deployment.start([FRAGILE], { TRIAL_MENDED: 'true' }).ready

  await laban('dlq', 'redrive', '--agent', 'trial.fragile', '--rate', '50')
  await waitFor(async () => (await noted('a')).length === 3, { timeoutMs: 20_000, what: 'the redriven event and two' })
  expect(await noted('a')).toEqual([1, 2, 4])
  const flow = await waitFor(
    async () => {
      const drawn = await laban('flow', letter.flowId)
      return drawn.includes('trial.tally') && !drawn.includes('dead-lettered') ? drawn : undefined
    },
    { timeoutMs: 20_000, what: 'downstream to complete' },
  )
  expect(flow).toContain('trial.fragile')
  expect(await letters('--agent', 'trial.fragile')).toEqual([])

  await laban('dlq', 'redrive', letter.eventId)
  await produce(begun(6, 'a'))
  await waitFor(async () => (await noted('a')).length >= 4, { what: 'the lane to go on' })
  await waitFor(async () => (await laban('flow', letter.flowId)).includes('skipped'), {
    timeoutMs: 20_000,
    what: 'the second redrive to be skipped',
  })
  expect(await noted('a')).toEqual([1, 2, 4, 6])
  expect(await readTopic(log.broker, 'trial.ended')).toHaveLength(5)
})

it('is replaced or discarded by command, and refused when the contract says no', { timeout: TIMEOUT_MS }, async () => {
  const broken = Buffer.from(begun(0, 'c').value ?? [])
  // The first field of the record, the number, as zigzag of -1: it breaks the rule of the topic.
  broken[5] = 1
  const record = { ...begun(0, 'c'), value: broken }
  await produce(record, { ...record, key: 'd' })
  const found = await waitFor(
    async () => {
      const list = await letters('--code', 'LABAN_CONTRACT_RULE')
      return list.length === 2 ? list : undefined
    },
    { timeoutMs: 20_000, what: 'two dead letters' },
  )
  const [first, second] = found
  const file = join(deployment.folder, 'value.json')
  writeFileSync(file, '{"number": -5, "lane": "c"}')
  const refused = await deployment.laban(['dlq', 'edit', first?.eventId ?? '', '--file', file])
  expect(refused).toMatchObject({ code: 65, stderr: expect.stringContaining('LABAN_CONTRACT_RULE') as string })
  writeFileSync(file, '{"number": 8, "lane": "c"}')
  await laban('dlq', 'edit', first?.eventId ?? '', '--file', file)
  await waitFor(async () => (await noted('c')).length === 1, { timeoutMs: 20_000, what: 'the corrected event' })
  expect(await noted('c')).toEqual([8])

  expect(await deployment.laban(['dlq', 'discard', second?.eventId ?? ''])).toMatchObject({ code: 64 })
  await laban('dlq', 'discard', second?.eventId ?? '', '--reason', 'made by a test')
  expect(await letters()).toEqual([])
  expect(await laban('dlq', 'show', second?.eventId ?? '')).toContain('discarded: made by a test')
  expect(await deployment.laban(['dlq', 'show', 'ffffffff'])).toMatchObject({ code: 66 })
})
