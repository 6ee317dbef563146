/** What a static check finds, code by code, and that a sound choreography gives nothing. */
import { describe, expect, it } from 'vitest'
import { createContractSet, type TopicDefinition } from '../../../../contracts/contract-set.ts'
import { defineAgent, type Agent } from '../../../../runtime/agent.ts'
import { checkChoreography } from '../../../../runtime/check/check-choreography.ts'

const schema = {
  type: 'record',
  name: 'Value',
  namespace: 'test',
  fields: [{ name: 'size', type: 'int' }],
} as const

const ENTRY = { schema, entry: true }
const END = { schema, end: true }

/** Topics of no generated contract, so the compiler cannot know them. */
interface Told {
  readonly consumes: string | readonly string[] | { readonly all: readonly string[] }
  readonly produces: readonly string[] | { readonly oneOf: readonly string[] }
  readonly accepts?: Readonly<Record<string, string>>
}

function agent(
  name: string,
  consumes: Told['consumes'],
  produces: Told['produces'] = [],
  accepts: Told['accepts'] = {},
): Agent {
  return defineAgent({ name, version: '1.0.0', consumes, produces, accepts, handle: () => undefined } as never)
}

function codesOf(
  agents: readonly Agent[],
  topics: Readonly<Record<string, TopicDefinition>>,
  options: { readonly isPartial?: boolean; readonly tableFile?: string } = {},
): readonly string[] {
  const contracts = createContractSet(topics)
  const checked = agents.map((one, index) => ({ agent: one, file: `/agents/${index}-${one.name}.ts` }))
  return checkChoreography({ agents: checked, contracts, ...options }).map(({ code, severity, message }) => {
    expect(message).not.toContain('undefined')
    return `${severity === 'error' ? '' : '?'}${code.replace('LABAN_CHECK_', '')}`
  })
}

const PAIR = { 'a.begun': ENTRY, 'a.left': { schema }, 'a.right': { schema }, 'a.ended': END }
const left = agent('a.lefty', 'a.begun', ['a.left'])
const right = agent('a.righty', 'a.begun', ['a.right'])
const joiner = agent('a.joiner', { all: ['a.left', 'a.right'] }, ['a.ended'])

describe('a sound choreography', () => {
  it('gives no finding', () => {
    expect(codesOf([left, right, joiner], PAIR, { tableFile: '/topics.json' })).toEqual([])
  })
})

describe('topics', () => {
  it('need a contract, a producer or to be an entry, a consumer or to be an end', () => {
    const plain = { 'a.begun': { schema }, 'a.ended': { schema } }
    const one = agent('a.one', 'a.begun', ['a.ended'])
    expect(codesOf([one], plain)).toEqual(['NO_PRODUCER', 'NO_CONSUMER'])
    expect(codesOf([one], plain, { isPartial: true })).toEqual([])
    expect(codesOf([agent('a.one', 'a.begn', ['a.ended'])], { 'a.begun': ENTRY, 'a.ended': END })).toEqual([
      'LABAN_CONTRACT_UNKNOWN_TOPIC',
    ])
  })

  it('that are keyed by what is personal are warned of', () => {
    const fields = (isPersonal: boolean) => [{ name: 'email', type: 'string', ...(isPersonal ? { pii: true } : {}) }]
    const keyed = (isPersonal: boolean) => {
      const person = { type: 'record', name: 'Person', namespace: 'test', fields: fields(isPersonal) }
      return { 'a.begun': { ...ENTRY, schema: person, key: 'email' }, 'a.ended': END }
    }
    const one = agent('a.one', 'a.begun', ['a.ended'])
    expect(codesOf([one], keyed(true))).toEqual(['?PERSONAL_KEY'])
    expect(codesOf([one], keyed(false))).toEqual([])
  })

  it('that nobody uses are told only when all of the table is checked', () => {
    const topics = { ...PAIR, 'a.forgotten': { schema } }
    expect(codesOf([left, right, joiner], topics)).toEqual([])
    expect(codesOf([left, right, joiner], topics, { tableFile: '/topics.json' })).toEqual(['?UNUSED_TOPIC'])
  })

  it('may say who produces them, by name or by domain', () => {
    const one = agent('a.one', 'a.begun', ['a.ended'])
    const allowing = (...producers: string[]) => codesOf([one], { 'a.begun': ENTRY, 'a.ended': { ...END, producers } })
    expect(allowing('a.one')).toEqual([])
    expect(allowing('b.*', 'a.*')).toEqual([])
    expect(allowing('b.*', 'a.o')).toEqual(['FOREIGN_PRODUCER'])
  })

  it('break with their history', () => {
    const contracts = createContractSet({ 'a.begun': ENTRY })
    const history = new Map([['a.begun', [{ version: 1, schema: 'string' as const, schemaText: '"string"' }]]])
    const withHistory = Object.assign(Object.create(contracts) as typeof contracts, {
      history: (topic: string) => history.get(topic) ?? [],
    })
    const checked = [{ agent: agent('a.one', 'a.begun'), file: '/a.ts' }]
    const findings = checkChoreography({ agents: checked, contracts: withHistory })
    expect(findings.map(({ code }) => code)).toContain('LABAN_CONTRACT_INCOMPATIBLE')
  })
})

describe('names', () => {
  it('of agents are used once', () => {
    const twice = [agent('a.one', 'a.begun'), agent('a.one', 'a.begun')]
    expect(codesOf(twice, { 'a.begun': ENTRY })).toEqual(['DUPLICATE_AGENT'])
  })

  it('do not meet the topics and groups that agents have for themselves', () => {
    const topics = { 'a.begun': ENTRY, 'a.one.journal': ENTRY }
    expect(codesOf([agent('a.one', ['a.begun', 'a.one.journal'])], topics)).toEqual(['NAME_CLASH'])
    expect(codesOf([agent('a.one', 'a.begun'), agent('a.one.retry', 'a.begun')], { 'a.begun': ENTRY })).toEqual([
      'NAME_CLASH',
    ])
  })
})

describe('circles', () => {
  const topics = { 'a.begun': ENTRY, 'a.asked': { schema }, 'a.answered': { schema }, 'a.ended': END }
  const asker = agent('a.asker', ['a.begun', 'a.answered'], ['a.asked'])

  it('that always go on are errors', () => {
    expect(codesOf([asker, agent('a.answerer', 'a.asked', ['a.answered'])], topics)).toEqual(['ENDLESS'])
    expect(codesOf([agent('a.echo', 'a.begun', ['a.begun'])], { 'a.begun': ENTRY })).toEqual(['ENDLESS'])
  })

  it('with a way out are warnings', () => {
    const may = agent('a.answerer', 'a.asked', { oneOf: ['a.answered', 'a.ended'] })
    expect(codesOf([asker, may], topics)).toEqual(['?CYCLE'])
    const picky = agent('a.answerer', 'a.asked', ['a.answered'], { 'a.asked': 'event.size > 1' })
    expect(codesOf([asker, picky], topics)).toEqual(['?CYCLE'])
  })

  it('through a join end by themselves', () => {
    const joins = agent('a.asker', { all: ['a.begun', 'a.other'] }, ['a.asked'])
    const rest = { 'a.begun': ENTRY, 'a.other': { schema }, 'a.asked': { schema } }
    const other = agent('a.answerer', ['a.begun', 'a.asked'], ['a.other'])
    expect(codesOf([joins, other], rest)).toEqual([])
  })
})

describe('joins', () => {
  it('of topics from different first events never fire', () => {
    const topics = { ...PAIR, 'a.else': ENTRY }
    expect(codesOf([left, agent('a.righty', 'a.else', ['a.right']), joiner], topics)).toEqual(['JOIN_APART'])
  })

  it('that wait for what they bring about themselves never fire', () => {
    const loop = agent('a.righty', 'a.ended', ['a.right'])
    expect(codesOf([left, loop, joiner], PAIR)).toEqual(['JOIN_APART'])
  })

  it('of alternatives are suspicious', () => {
    const either = agent('a.lefty', 'a.begun', { oneOf: ['a.left', 'a.right'] })
    expect(codesOf([either, joiner], PAIR)).toEqual(['?JOIN_EITHER'])
    expect(codesOf([either, right, joiner], PAIR)).toEqual([])
  })

  it('do not wait longer than their members are kept', () => {
    const short = { ...PAIR, 'a.left': { schema, retentionMs: 60_000 } }
    expect(codesOf([left, right, joiner], short)).toEqual(['JOIN_RETENTION'])
  })
})

describe('accepts', () => {
  it('speaks of fields that there are', () => {
    const one = agent('a.one', 'a.begun', [], { 'a.begun': 'event.sise > 1' })
    expect(codesOf([one], { 'a.begun': ENTRY })).toEqual(['ACCEPTS'])
  })
})
