/** Faults of data: poison, broken contracts, foreign bytes, lost and forged records, dead letters and what becomes of them. */
import { encodeEnvelope, type Envelope } from '../../../contracts/envelope.ts'
import { FACTS_TOPIC } from '../../../contracts/contract.ts'
import type { Fact } from '../../../contracts/fact.ts'
import { since, until, type Fault } from './fault.ts'
import { steadyMs, type Shop } from './shop.ts'

const UNKNOWN_SCHEMA_ID = 2_000_000_000

export const DATA_FAULTS: readonly Fault[] = [
  {
    name: 'poisoned event',
    by: 'an order that cannot be priced',
    expects: ['dead-lettered'],
    agent: 'shop.pricer',
    inject: async (shop) => since(await shop.place('poison')),
  },
  {
    name: 'same customer: an earlier order is a dead letter',
    by: 'an order that cannot be priced',
    expects: ['dead-lettered'],
    agent: 'shop.pricer',
    async inject(shop) {
      await until(shop, await shop.place('poison', 'anna'), 'dead-lettered')
      return since(await shop.place('', 'anna'))
    },
  },
  {
    name: 'dead letter discarded',
    by: 'laban dlq discard',
    expects: ['discarded'],
    agent: 'shop.pricer',
    async inject(shop) {
      const id = await shop.place('poison')
      await until(shop, id, 'dead-lettered')
      const { code, stderr } = await shop.deployment.laban([
        'dlq',
        'discard',
        id,
        '--agent',
        'shop.pricer',
        '--reason',
        'spam',
        '--on',
        'kafka',
      ])
      if (code !== 0) throw new Error(stderr)
      return since(id)
    },
  },
  {
    name: 'output larger than its topic takes',
    by: 'an order that grows',
    expects: ['dead-lettered', 'unpublishable', 'rejected-by-contract'],
    agent: 'shop.pricer',
    inject: async (shop) => since(await shop.place('large')),
  },
  {
    name: 'value breaks a rule of its contract',
    by: 'another program',
    expects: ['rejected-by-contract'],
    inject: (shop) =>
      foreign(shop, async (codec) =>
        (await codec).encode('shop.order-gifted', { number: -1, customer: 'x', wish: '' }),
      ),
  },
  {
    name: 'bytes that are not Avro',
    by: 'another program',
    expects: ['undecodable'],
    inject: (shop) => foreign(shop, async () => Promise.resolve(Buffer.from('{"number":1}'))),
  },
  {
    name: 'schema id that the registry does not know',
    by: 'another program',
    expects: ['undecodable'],
    async inject(shop) {
      const value = Buffer.alloc(12)
      value.writeUInt32BE(UNKNOWN_SCHEMA_ID, 1)
      return foreign(shop, () => Promise.resolve(value))
    },
  },
  {
    name: 'event of a foreign program, its consumer stopped',
    by: 'another program, SIGTERM',
    expects: ['no-live-consumer'],
    agent: 'shop.checker',
    async inject(shop) {
      await shop.end('checker', 'SIGTERM')
      return foreign(shop, async (codec) =>
        (await codec).encode('shop.order-placed', { number: 1, customer: 'x', wish: '' }),
      )
    },
    heal: (shop) => shop.start(['checker']),
  },
  {
    name: 'event that nobody subscribes to',
    by: 'another program',
    expects: ['no-subscriber'],
    inject: async (shop) => since(await placeOn(shop, 'shop.order-forgotten')),
  },
  {
    name: 'event older than the first subscription',
    by: 'published before its agent was first started',
    expects: ['before-subscription'],
    async inject(shop) {
      const place = await placeOn(shop, 'shop.order-gifted')
      await shop.start(['latecomer'])
      return since(place)
    },
    heal: (shop) => shop.end('latecomer', 'SIGTERM'),
  },
  {
    name: 'join that can never complete: its agent decided not to publish',
    by: 'an order that is refused',
    expects: ['chose-otherwise'],
    agent: 'shop.checker',
    inject: async (shop) => since(await shop.place('refuse')),
  },
  {
    name: 'agent completed without what it promises always',
    by: 'announcement of another build under the same version',
    expects: ['published-nothing'],
    agent: 'shop.checker',
    async inject(shop) {
      const id = await shop.place('refuse')
      await until(shop, id, 'chose-otherwise')
      await announce(shop, { agent: 'shop.checker', instance: 'forged', always: ['shop.order-checked'] })
      return since(id)
    },
    heal: (shop) =>
      announce(shop, { agent: 'shop.checker', instance: 'forged', always: [], state: 'stopped', seenAtMs: 1 }),
  },
  {
    name: 'event published by an agent that does not announce it',
    by: 'another program in its name',
    expects: ['unexpected-producer'],
    agent: 'shop.courier',
    async inject(shop) {
      const id = await shop.place()
      await until(shop, id, 'completed')
      const codec = await shop.codec()
      const envelope = envelopeOf('shop.order-forgotten', { source: 'shop.courier', flowId: id, causes: [id], hop: 1 })
      const value = codec.encode('shop.order-forgotten', { number: 1, customer: 'x', wish: '' })
      await shop.append([{ topic: 'shop.order-forgotten', key: id, value, headers: encodeEnvelope(envelope) }])
      return since(id)
    },
  },
  {
    name: 'two contents under one id',
    by: 'another program',
    expects: ['id-conflict'],
    async inject(shop) {
      const id = crypto.randomUUID()
      const codec = await shop.codec()
      for (const number of [1, 2]) {
        const envelope = {
          ...envelopeOf('shop.order-forgotten', { source: 'x', flowId: id, causes: [], hop: 0 }),
          id,
          contentHash: `hash-${number}`,
        }
        const value = codec.encode('shop.order-forgotten', { number, customer: 'x', wish: '' })
        await shop.append([{ topic: 'shop.order-forgotten', key: id, value, headers: encodeEnvelope(envelope) }])
      }
      return since(id)
    },
  },
  {
    name: 'published event removed before anybody handled it',
    by: 'admin call deleteRecords',
    expects: ['event-lost'],
    async inject(shop) {
      await shop.end('courier', 'SIGTERM')
      const id = await shop.place()
      await until(shop, id, 'no-live-consumer')
      await shop.deleteRecords('shop.order-shipped')
      return since(id)
    },
    heal: (shop) => shop.start(['courier']),
  },
  {
    name: 'dead letter forgotten by its topic',
    by: 'admin call deleteRecords',
    expects: ['dead-letter-expired'],
    agent: 'shop.pricer',
    async inject(shop) {
      const id = await shop.place('poison')
      await until(shop, id, 'dead-lettered')
      await shop.deleteRecords('shop.pricer.dead-letter')
      return since(id)
    },
  },
  {
    name: 'id that nothing carries',
    by: 'a typing error',
    expects: ['unknown-id'],
    inject: () => Promise.resolve(since(crypto.randomUUID())),
  },
  {
    name: 'fact of a newer laban',
    by: 'another program',
    expects: ['version-mismatch'],
    async inject(shop) {
      const id = await shop.place()
      await until(shop, id, 'completed')
      const codec = await shop.codec()
      const value = codec.encode(FACTS_TOPIC, { ...EMPTY_FACT, flowId: id, formatVersion: 99 })
      await shop.append([{ topic: FACTS_TOPIC, key: id, value, headers: {} }])
      return since(id)
    },
  },
]

const EMPTY_FACT: Fact = {
  ...{
    formatVersion: 1,
    outcome: 'started',
    flowId: '',
    agent: 'shop.courier',
    agentVersion: '1.0.0',
    instance: 'newer',
  },
  ...{ handlingId: crypto.randomUUID(), inputs: [], attempt: 1, startedAtMs: 0, endedAtMs: 0, errorCode: null },
  ...{ errorMessage: null, traceId: null, spanId: null, outputs: [], steps: [], detail: {} },
}

/** A record without a header, on the topic of placed orders. */
async function foreign(
  shop: Shop,
  valueOf: (codec: ReturnType<Shop['codec']>) => Promise<Buffer>,
): ReturnType<Fault['inject']> {
  const value = await valueOf(shop.codec())
  const [at] = await shop.append([{ topic: 'shop.order-placed', key: `foreign-${steadyMs()}`, value, headers: {} }])
  return since(`${at?.topic ?? ''}/${at?.partition ?? 0}@${at?.offset ?? 0}`)
}

/** A good order on another topic; gives its place. */
async function placeOn(shop: Shop, topic: string): Promise<string> {
  const value = (await shop.codec()).encode(topic, { number: 1, customer: 'x', wish: '' })
  const [at] = await shop.append([{ topic, key: 'x', value, headers: {} }])
  return `${topic}/${at?.partition ?? 0}@${at?.offset ?? 0}`
}

function envelopeOf(type: string, parts: Pick<Envelope, 'source' | 'flowId' | 'causes' | 'hop'>): Envelope {
  return { id: crypto.randomUUID(), type, time: new Date().toISOString(), ...parts }
}

async function announce(
  shop: Shop,
  parts: {
    readonly agent: string
    readonly instance: string
    readonly always: readonly string[]
    state?: string
    seenAtMs?: number
  },
): Promise<void> {
  const nowMs = Date.now()
  const manifest = {
    ...{ formatVersion: 1, version: '1.0.0', summary: '', host: 'elsewhere', pid: 1, state: 'stopped', join: false },
    ...{
      consumes: ['shop.order-placed'],
      oneOf: [],
      maybe: [],
      policies: {},
      problems: {},
      schemaIds: {},
      subscribedFrom: {},
    },
    ...{ startedAtMs: nowMs, seenAtMs: nowMs + 60_000, ...parts },
  }
  const value = (await shop.codec()).encode('laban.agents', manifest)
  await shop.append([{ topic: 'laban.agents', key: `${parts.agent}|${parts.instance}`, value, headers: {} }])
}
