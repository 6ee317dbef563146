/** What an attempt may publish: which topics, how often, under which ids and keys, how large, and until when. */
import { EnvelopeBlocks } from '../../../../contracts/envelope-block.ts'
import { beforeEach, describe, expect, it } from 'vitest'
import { MAX_OUTPUTS_BYTES } from '../../../../contracts/agent-topics.ts'
import { createContractSet, type ContractSet } from '../../../../contracts/contract-set.ts'
import { createCodec } from '../../../../contracts/create-codec.ts'
import { headerText } from '../../../../contracts/envelope.ts'
import { outputId } from '../../../../contracts/ids.ts'
import { createFolderRegistry } from '../../../../contracts/registry-folder.ts'
import { derivedSchemaId } from '../../../../contracts/schema-ids.ts'
import { OutputCollector, type OutputPromise } from '../../../../runtime/handle/output-collector.ts'
import { noTracer } from '../../../../tracing/create-tracer.ts'
import { noteSchema } from '../../../harness/world.ts'

const FLOW = '00000000-0000-8000-8000-000000000001'
const HANDLED = '00000000-0000-8000-8000-000000000002'
const TOPICS = ['test.out', 'test.other', 'test.keyed', 'test.small']

let contracts: ContractSet

beforeEach(() => {
  contracts = createContractSet({
    'test.out': { schema: noteSchema },
    'test.other': { schema: noteSchema },
    'test.keyed': { schema: noteSchema, key: 'text' },
    'test.small': { schema: noteSchema, maxRecordBytes: 1_000 },
  })
})

function collector(promise: Partial<OutputPromise> = { maybe: TOPICS }): OutputCollector {
  const schemaIds = new Map(TOPICS.map((topic) => [topic, derivedSchemaId(contracts.get(topic).schemaText)]))
  const envelope = { id: HANDLED, type: 'test.in', source: 'test', time: '', flowId: FLOW, causes: [], hop: 3 }
  return new OutputCollector({
    agent: { name: 'test.agent', version: '1.2.3', always: [], oneOf: [], maybe: [], ...promise },
    ...{ handlingId: HANDLED, flowId: FLOW, hop: 4, causes: [HANDLED] },
    contractOf: (topic) => contracts.get(topic),
    envelopes: new EnvelopeBlocks(),
    codec: createCodec({ contracts, registry: createFolderRegistry(contracts), schemaIds }),
    nowMs: () => 1_700_000_000_000,
    span: noTracer.startProcess({
      ...{ agent: 'test.agent', group: 'test.agent', instance: 'i', topic: 'test.in', partition: 0, offset: 0 },
      ...{ key: null, envelope, attempt: 1 },
    }),
  })
}

const note = { text: 'x', count: 1 }
const refused = { code: 'LABAN_HANDLER_OUTPUT' }

/** What a call throws. */
function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

describe('an output', () => {
  it('has the id of its agent, handling, topic and ordinal, on every attempt', () => {
    const first = collector()
    const ids = [first.publish('test.out', note), first.publish('test.other', note), first.publish('test.out', note)]
    const second = collector()
    second.publish('test.other', note)
    expect(ids).toEqual([
      outputId('test.agent', HANDLED, 'handle', 'test.out', '0'),
      outputId('test.agent', HANDLED, 'handle', 'test.other', '0'),
      outputId('test.agent', HANDLED, 'handle', 'test.out', '1'),
    ])
    expect(second.publish('test.out', { text: 'other content', count: 2 })).toBe(ids[0])
  })

  it('has an id by its name, whatever is published before it', () => {
    const one = collector()
    const other = collector()
    other.publish('test.out', note, { name: 'b' })
    expect(other.publish('test.out', note, { name: 'a' })).toBe(one.publish('test.out', note, { name: 'a' }))
  })

  it('is refused when its name was used before in this topic, be it another one’s ordinal', () => {
    const named = collector()
    named.publish('test.out', note, { name: 'a' })
    named.publish('test.other', note, { name: 'a' })
    expect(thrownBy(() => named.publish('test.out', note, { name: 'a' }))).toMatchObject(refused)
    const mixed = collector()
    mixed.publish('test.out', note, { name: '1' })
    expect(thrownBy(() => mixed.publish('test.out', note))).toMatchObject(refused)
  })

  it('carries flow, causes, hop, time and version, and the key of its flow', () => {
    const outputs = collector()
    outputs.publish('test.out', note)
    const [output] = outputs.seal()
    const header = (name: string): string | undefined => headerText(output?.record.headers.toHeaders() ?? {}, name)
    expect(output?.record.key?.toString()).toBe(FLOW)
    expect(output?.key).toBeNull()
    expect([header('ce_correlationid'), header('ce_causationid'), header('laban-hop')]).toEqual([FLOW, HANDLED, '4'])
    expect([header('ce_source'), header('laban-agent-version')]).toEqual(['test.agent', '1.2.3'])
    expect(header('ce_time')).toBe('2023-11-14T22:13:20.000Z')
  })

  it('has the key that its contract names, unless the handler names another', () => {
    const outputs = collector()
    outputs.publish('test.keyed', note)
    outputs.publish('test.keyed', note, { key: 'mine' })
    expect(outputs.seal().map((output) => [output.key, output.record.key?.toString()])).toEqual([
      ['x', 'x'],
      ['mine', 'mine'],
    ])
  })

  it('that does not fit its contract, or is too large, is refused on its line and leaves nothing', () => {
    const outputs = collector()
    const wrong = thrownBy(() => outputs.publish('test.out', { text: 7 }))
    const large = thrownBy(() => outputs.publish('test.small', { text: 'x'.repeat(2_000), count: 0 }))
    expect([wrong, large]).toMatchObject([
      { code: 'LABAN_CONTRACT_VALIDATION' },
      { code: 'LABAN_BROKER_MESSAGE_TOO_LARGE' },
    ])
    expect(outputs.publish('test.out', note)).toBe(outputId('test.agent', HANDLED, 'handle', 'test.out', '0'))
    expect(outputs.seal()).toHaveLength(1)
  })
})

describe('outputs together', () => {
  it('may be larger than one record, and not larger than a record of the journal', () => {
    const outputs = collector()
    const large = { text: 'x'.repeat(1_000_000), count: 1 }
    const fitting = Math.floor(MAX_OUTPUTS_BYTES / 1_001_000)
    for (let index = 0; index < fitting; index++) outputs.publish('test.out', large)
    const error = thrownBy(() => outputs.publish('test.out', large))
    expect(error).toMatchObject({ ...refused, message: expect.stringMatching(/bytes together/) as string })
  })
})

describe('what the agent promised', () => {
  it('decides which topics it may publish', () => {
    expect(thrownBy(() => collector({ maybe: ['test.out'] }).publish('test.other', note))).toMatchObject(refused)
  })

  it('asks for each of always and exactly one of oneOf, once', () => {
    const promise = { always: ['test.out'], oneOf: ['test.other', 'test.keyed'] }
    const said = (...topics: readonly string[]): unknown => {
      const outputs = collector(promise)
      return thrownBy(() => {
        for (const topic of topics) outputs.publish(topic, note)
        outputs.seal()
      })
    }
    expect(said('test.out', 'test.other')).toBeUndefined()
    expect(said('test.out', 'test.out', 'test.keyed')).toBeUndefined()
    for (const topics of [['test.other'], ['test.out'], ['test.out', 'test.other', 'test.keyed']])
      expect(said(...topics)).toMatchObject(refused)
    expect(said('test.out', 'test.other', 'test.other')).toMatchObject(refused)
  })

  it.each(['seal', 'discard'] as const)('ends with %s: later outputs are refused and change nothing', (end) => {
    const outputs = collector()
    outputs.publish('test.out', note)
    const sealed = end === 'seal' ? outputs.seal() : (outputs.discard(undefined), [])
    const before = sealed.length
    expect(thrownBy(() => outputs.publish('test.out', note))).toMatchObject(refused)
    expect(sealed).toHaveLength(before)
  })
})
