/**
 * A record that can never be handled ends in the dead letters at once and with its reason, and stops nobody; a registry that is
 * down says nothing about a record.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { foreignEventId } from '../../contracts/ids.ts'
import { headerText } from '../../contracts/envelope.ts'
import { readFlow, readValues } from '../../runtime/internal.ts'
import type { Appended, OutgoingRecord } from '../../runtime/ports/broker.ts'
import { Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { readTopic } from '../harness/read-topic.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'
import { waitFor } from '../harness/wait.ts'
import type { Said } from './agents/trial-agent.ts'
import { TRIAL_CONTRACTS } from './agents/trial.ts'

const NOTER = join(import.meta.dirname, 'agents', 'noter.ts')
const TOPIC = 'trial.begun'
const DEAD_LETTERS = 'trial.noter.dead-letter'
const OTHER_LANES = ['b', 'c', 'd', 'e', 'f']
const EVENTS_PER_LANE = 40
/** What is promised is one second; a machine that runs everything at once may be slower than its users' are. */
const MAX_DELAY_MS = 5_000
const HEADER_BYTES = 5

let deployment: Deployment
let log: OpenLog
let registry: TcpProxy
let noter: AgentProcess

beforeAll(async () => {
  registry = await TcpProxy.start(await stackAddress('registryUrl'))
  deployment = await Deployment.make('bad-records', { agents: [NOTER], contractsDir: TRIAL_CONTRACTS })
  log = await deployment.open()
  noter = deployment.start([NOTER], { LABAN_REGISTRY_URL: registry.url })
  await noter.ready
})
afterAll(async () => {
  await deployment.stop()
  await log.close()
  await registry.refuse()
})

function begun(number: number, lane: string): OutgoingRecord {
  return { topic: TOPIC, key: lane, value: log.codec.encode(TOPIC, { number, lane }), headers: {} }
}

/** A record as another program might have made it. */
function raw(lane: string, value: Buffer): OutgoingRecord {
  return { topic: TOPIC, key: lane, value, headers: {} }
}

function withSchemaId(value: Buffer | null, schemaId: number): Buffer {
  const copy = Buffer.from(value ?? [])
  copy.writeUInt32BE(schemaId, 1)
  return copy
}

async function produce(records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
  const producer = await log.broker.producer()
  try {
    return await producer.send(records)
  } finally {
    await producer.close()
  }
}

/** Numbers noted of a lane, in the order in which they were. */
async function noted(lane: string): Promise<readonly number[]> {
  const numbers: number[] = []
  for await (const { value } of readValues(log, 'trial.noted')) {
    const said = value as Said
    if (said.lane === lane) numbers.push(said.number)
  }
  return numbers
}

describe('records that can never be handled', () => {
  it('end in the dead letters with raw bytes and reason, while every other record is handled in order', async () => {
    const good = [0, 1, 2, 3, 4].map((number) => begun(number, 'a'))
    const rule = Buffer.from(good[0]?.value ?? [])
    // The first field of the record, the number, as zigzag of -1.
    rule[HEADER_BYTES] = 1
    const truncated = Buffer.from(good[0]?.value ?? []).subarray(0, HEADER_BYTES + 1)
    const bad: readonly [string, Buffer][] = [
      ['LABAN_CONTRACT_DECODE', Buffer.from('these bytes are not of Avro')],
      ['LABAN_CONTRACT_UNKNOWN_SCHEMA', withSchemaId(good[0]?.value ?? null, 2_000_000_000)],
      ['LABAN_CONTRACT_RULE', rule],
      ['LABAN_CONTRACT_DECODE', truncated],
    ]
    const lane = good.flatMap((record, index) => {
      const [, value] = bad[index] ?? []
      return value === undefined ? [record] : [record, raw('a', value)]
    })
    const others = Array.from({ length: EVENTS_PER_LANE }, (_, number) =>
      OTHER_LANES.map((other) => begun(number, other)),
    ).flat()
    const places = await produce([...lane, ...others])

    const letters = await waitFor(
      async () => {
        const found = await readTopic(log.broker, DEAD_LETTERS)
        return found.length >= bad.length ? found : undefined
      },
      { timeoutMs: 30_000, what: `${bad.length} dead letters` },
    )
    expect(letters).toHaveLength(bad.length)
    for (const [index, [reason, value]] of bad.entries()) {
      const letter = letters.find((candidate) => candidate.value?.equals(value))
      const header = (name: string): string => headerText(letter?.headers ?? {}, `laban-dlq-${name}`) ?? ''
      expect(header('reason')).toBe(reason)
      expect(header('error-message')).not.toBe('')
      expect(letter?.key?.toString()).toBe('a')
      const place = places[index * 2 + 1]
      expect([header('topic'), header('partition'), header('offset')]).toEqual([
        TOPIC,
        String(place?.partition),
        String(place?.offset),
      ])
      const delayMs = (letter?.timestampMs ?? Infinity) - Number(header('timestamp'))
      console.info(`${reason}: dead letter after ${delayMs} ms`)
      expect(delayMs).toBeLessThan(MAX_DELAY_MS)
      const flowId = foreignEventId(TOPIC, place?.partition ?? -1, place?.offset ?? -1)
      const graph = await waitFor(() => readFlow({ ...log, flowId, fromLog: true }), { what: `flow ${flowId}` })
      expect(graph).toMatchObject({ status: 'failed', handlings: [{ outcome: 'dead-lettered', errorCode: reason }] })
    }

    const inOrder = (count: number): number[] => Array.from({ length: count }, (_, number) => number)
    await waitFor(async () => (await noted('a')).length >= good.length, { what: 'the lane of the bad records' })
    expect(await noted('a')).toEqual(inOrder(good.length))
    for (const other of OTHER_LANES) {
      await waitFor(async () => (await noted(other)).length >= EVENTS_PER_LANE, { what: `lane ${other}` })
      expect(await noted(other)).toEqual(inOrder(EVENTS_PER_LANE))
    }
    expect(await noter.health('ready')).toMatchObject({ status: 200, problems: [] })
  })
})

describe('a registry that is down', () => {
  it('lets a record of a yet unknown schema wait, not its neighbours, and handles it once it is back', async () => {
    const lettersBefore = await readTopic(log.broker, DEAD_LETTERS)
    const subject = `${deployment.namespace}.${TOPIC}-value`
    const [released] = await log.registry.versions(subject)
    const grown = structuredClone(released?.schema) as { fields: object[] }
    grown.fields.push({ name: 'remark', type: 'string', default: '' })
    const schemaId = await log.registry.register(subject, JSON.stringify(grown))

    await registry.refuse()
    const value = Buffer.concat([begun(0, 'waits').value ?? Buffer.alloc(0), Buffer.from([2, 0x21])])
    await produce([raw('waits', withSchemaId(value, schemaId)), begun(1, 'waits'), begun(0, 'passes')])

    await waitFor(async () => (await noted('passes')).length === 1, { timeoutMs: 20_000, what: 'the other lane' })
    await waitFor(
      () =>
        noter.running.stdout().includes('schema not loaded') || noter.running.stderr().includes('schema not loaded'),
      {
        timeoutMs: 20_000,
        what: 'the process to say that it waits for a schema',
      },
    )
    expect(await noted('waits')).toEqual([])
    expect(await noter.health('live')).toMatchObject({ status: 200 })

    await registry.accept()
    await waitFor(async () => (await noted('waits')).length === 2, { timeoutMs: 30_000, what: 'the lane that waited' })
    expect(await noted('waits')).toEqual([0, 1])
    expect(await readTopic(log.broker, DEAD_LETTERS)).toHaveLength(lettersBefore.length)
  })
})
