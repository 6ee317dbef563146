/** The console's answers on an embedded stack with agents that work and one that fails. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {
  About,
  ContractLine,
  ContractPage,
  DeadLetterList,
  DeadLetterPage,
  EventBody,
  FlowList,
  FlowView,
  Problem,
  StuckWork,
  Topology,
  WhyView,
} from '../../../console/api.ts'
import fragile from '../../e2e/agents/fragile.ts'
import tally from '../../e2e/agents/tally.ts'
import { TRIAL_CONTRACTS } from '../../e2e/agents/trial.ts'
import { openConsoleWorld, type ConsoleWorld } from '../../harness/console-world.ts'
import { waitFor } from '../../harness/wait.ts'

const GOOD = 4
const BAD = 7

let world: ConsoleWorld
let goodFlow: string
let badFlow: string

beforeAll(async () => {
  world = await openConsoleWorld({ contractsDir: TRIAL_CONTRACTS, agents: [fragile, tally] })
  const publish = async (number: number): Promise<string> =>
    (await world.publisher.publish('trial.begun' as never, { number, lane: 'a lane' } as never)).flowId
  goodFlow = await publish(GOOD)
  badFlow = await publish(BAD)
  await waitFor(
    async () => {
      const { flows } = await get<FlowList>('/api/flows')
      return flows.every(({ status }) => status === 'completed' || status === 'failed') && flows.length === 2
    },
    { timeoutMs: 10_000, what: 'both flows to end' },
  )
})
afterAll(() => world.stop())

async function get<T>(url: string, status = 200): Promise<T> {
  const answer = await world.app.inject({ url })
  expect(answer.statusCode, answer.body).toBe(status)
  return answer.json<T>()
}

async function problem(url: string, status: number): Promise<Problem> {
  return (await get<{ error: Problem }>(url, status)).error
}

describe('what is looked at', () => {
  it('says where it reads from, and how actions are turned on', async () => {
    const about = await get<About>('/api/about')
    expect(about).toMatchObject({ target: 'a test', readsFrom: 'log', actions: { enabled: false } })
    expect(about.actions.howTo).toContain('LABAN_CONSOLE_OPERATOR_TOKEN')
  })

  it('sends the same answer only once', async () => {
    const first = await world.app.inject({ url: '/api/about' })
    const tag = String(first.headers.etag)
    const again = await world.app.inject({ url: '/api/about', headers: { 'if-none-match': tag } })
    expect(again.statusCode).toBe(304)
    expect(again.body).toBe('')
  })
})

describe('topology', () => {
  it('is what is announced, with lag and dead letters', async () => {
    const { agents, topics } = await waitFor(
      async () => {
        const found = await get<Topology>('/api/topology')
        return found.agents.every(({ lag }) => lag === 0) ? found : undefined
      },
      { timeoutMs: 10_000, what: 'all offsets to be committed' },
    )
    expect(agents.map(({ name, state, deadLetters }) => ({ name, state, deadLetters }))).toEqual([
      { name: 'trial.fragile', state: 'running', deadLetters: 1 },
      { name: 'trial.tally', state: 'running', deadLetters: 0 },
    ])
    expect(topics.find(({ name }) => name === 'trial.ended')).toMatchObject({
      exists: true,
      records: 1,
      producers: ['trial.fragile'],
      consumers: ['trial.tally'],
    })
  })
})

describe('flows', () => {
  it('are found by status, agent, error and the beginning of their id', async () => {
    const ids = async (query: string): Promise<readonly string[]> =>
      (await get<FlowList>(`/api/flows?${query}`)).flows.map(({ flowId }) => flowId)
    expect(await ids('status=failed')).toEqual([badFlow])
    expect(await ids('agent=trial.tally')).toEqual([goodFlow])
    expect(await ids('error=LABAN_ATTEMPTS_EXHAUSTED')).toEqual([badFlow])
    expect(await ids(`key=${goodFlow.slice(0, 8)}`)).toEqual([goodFlow])
    expect(await ids('until=1000')).toEqual([])
  })

  it('come with groups and, while small, event by event', async () => {
    const flow = await get<FlowView>(`/api/flows/${goodFlow}`)
    expect(flow).toMatchObject({ status: 'completed', events: 3, handlings: 2 })
    expect(flow.graph?.handlings.map(({ agent }) => agent)).toEqual(['trial.fragile', 'trial.tally'])
    expect(flow.groups.filter(({ kind }) => kind === 'handlings')).toHaveLength(2)
    const group = flow.groups.find(({ kind }) => kind === 'events')
    const members = await get(`/api/flows/${goodFlow}/members?group=${encodeURIComponent(group?.id ?? '')}&limit=1`)
    expect(members).toMatchObject({ total: 1, offset: 0, handlings: [] })
  })

  it('are found by the id of one of their events', async () => {
    const flow = await get<FlowView>(`/api/flows/${goodFlow}`)
    const last = flow.graph?.events.at(-1)
    expect(await get(`/api/events/${last?.id}/flows`)).toEqual([goodFlow])
  })

  it('that are not there, and filters that say nothing, are told as problems', async () => {
    expect(await problem('/api/flows/00000000-0000-8000-8000-000000000000', 404)).toMatchObject({
      code: 'LABAN_FLOW_NOT_FOUND',
      remedy: expect.stringContaining('laban flows') as unknown,
    })
    expect(await problem('/api/flows/nonsense', 404)).toMatchObject({ code: 'LABAN_FLOW_NOT_FOUND' })
    expect(await problem('/api/flows?limit=-1', 400)).toMatchObject({ code: 'LABAN_USAGE' })
    expect(await problem(`/api/flows/${goodFlow}/members?group=none`, 404)).toMatchObject({
      code: 'LABAN_CONSOLE_NOT_FOUND',
    })
  })
})

describe('an event', () => {
  it('is read from the log, with its headers', async () => {
    const { graph } = await get<FlowView>(`/api/flows/${goodFlow}`)
    const place = graph?.events[0]?.position
    const event = await get<EventBody>(`/api/events/${place?.topic}/${place?.partition}/${place?.offset}`)
    expect(event).toMatchObject({
      flowId: goodFlow,
      topic: 'trial.begun',
      body: { value: { number: GOOD }, masked: false },
    })
    expect(event.headers).toMatchObject({ ce_type: 'trial.begun' })
  })

  it('that the log does not hold is said to be gone', async () => {
    expect(await problem('/api/events/trial.begun/0/999999', 410)).toMatchObject({ code: 'LABAN_RECORD_GONE' })
    expect(await problem('/api/events/trial.begun/0/none', 400)).toMatchObject({ code: 'LABAN_USAGE' })
    expect(await problem('/api/events/no.such-topic/0/0', 404)).toMatchObject({ code: 'LABAN_CONTRACT_UNKNOWN_TOPIC' })
  })
})

describe('what stands still', () => {
  it('is grouped by cause', async () => {
    const { groups } = await get<StuckWork>('/api/stuck')
    expect(groups).toHaveLength(1)
    expect(groups[0]).toMatchObject({
      flows: 1,
      examples: [badFlow],
      cause: { code: 'dead-lettered', agent: 'trial.fragile' },
    })
    expect(groups[0]?.cause.next).toContain('laban dlq')
  })

  it('is told for one flow, with evidence', async () => {
    const why = await get<WhyView>(`/api/flows/${badFlow}/why`)
    expect(why).toMatchObject({ stands: true, root: { code: 'dead-lettered', standing: 'stands' } })
    expect(why.root.evidence.length).toBeGreaterThan(0)
    expect(await get<WhyView>(`/api/flows/${goodFlow}/why`)).toMatchObject({
      stands: false,
      verdict: { code: 'completed' },
    })
  })

  it('is a dead letter with its event, its cause and what a redrive would set in motion', async () => {
    const { groups, waiting } = await get<DeadLetterList>('/api/dead-letters')
    expect(waiting).toBe(1)
    const line = groups[0]?.letters[0]
    expect(line).toMatchObject({ agent: 'trial.fragile', flowId: badFlow, status: 'open', topic: 'trial.begun' })
    const page = await get<DeadLetterPage>(
      `/api/dead-letters/trial.fragile?place=${encodeURIComponent(line?.place ?? '')}`,
    )
    expect(page.letter.message).toContain(`no odds here: ${BAD}`)
    expect(page.body).toMatchObject({ value: { number: BAD } })
    expect(page.preview).toMatchObject({
      attempt: 4,
      isRunning: true,
      downstream: [{ agent: 'trial.tally', distance: 1 }],
    })
    expect(await problem('/api/dead-letters/trial.fragile?place=nowhere', 404)).toMatchObject({
      code: 'LABAN_DEAD_LETTER_NOT_FOUND',
    })
  })
})

describe('contracts', () => {
  it('come with fields, rules and who speaks and hears', async () => {
    const lines = await get<readonly ContractLine[]>('/api/contracts')
    expect(lines.filter(({ isPlatform }) => isPlatform).map(({ topic }) => topic)).toEqual([
      'laban.agents',
      'laban.facts',
    ])
    const page = await get<ContractPage>('/api/contracts/trial.begun')
    expect(page.consumers).toEqual(['trial.fragile'])
    expect(page.current.fields.map(({ name }) => name)).toContain('number')
    expect(await problem('/api/contracts/trial.begin', 404)).toMatchObject({ code: 'LABAN_CONTRACT_UNKNOWN_TOPIC' })
  })
})
