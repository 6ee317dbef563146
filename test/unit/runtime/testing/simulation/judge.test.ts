/** The judge is judged: for each invariant a runtime that is broken on purpose is caught by it. */
import { describe, expect, it } from 'vitest'
import type { Agent } from '../../../../../runtime/agent.ts'
import type { Broker, OutgoingRecord } from '../../../../../runtime/ports/broker.ts'
import type { ClaimStore, JoinAnswer, JoinMember, Store } from '../../../../../runtime/ports/claim-store.ts'
import { orderFree } from '../../../../../runtime/testing/invariants/fold.ts'
import { joinedOnce } from '../../../../../runtime/testing/invariants/joins.ts'
import type { Tamper } from '../../../../../runtime/testing/simulation/scene.ts'
import { simulateAll } from '../../../../../runtime/testing/simulation/simulate.ts'
import { testAgent, testContracts, type Note, type TestContext } from '../../../../harness/world.ts'
import { historyOfRun } from './history-of-run.ts'

let nonce = 0

const fork = (name: string, topic: 'test.left' | 'test.right'): Agent =>
  testAgent({
    ...{ name, consumes: 'test.in', produces: [topic] },
    // A second run of a handling cannot pass for the first.
    handle: (event: Note, { publish }: TestContext) => void publish(topic, { text: `${event.text} ${nonce++}` }),
  })
const agents: readonly Agent[] = [
  fork('test.a', 'test.left'),
  fork('test.b', 'test.right'),
  testAgent({
    ...{ name: 'test.join', consumes: { all: ['test.left', 'test.right'] }, produces: ['test.out'] },
    handle: (events: Record<'test.left' | 'test.right', Note>, { publish }: TestContext) => {
      publish('test.out', { text: `${events['test.left'].text} ${events['test.right'].text} ${nonce++}` })
    },
  }),
]

async function found(tamper: Tamper, runs = 20, whose = agents): Promise<string[]> {
  const { violation } = await simulateAll(whose, { contracts: testContracts, runs, flows: 20, faults: 6, tamper })
  return [...new Set(violation?.findings.map(({ invariant }) => invariant))]
}

/** A broker whose producers send something else than they are given. */
function sending(change: (records: readonly OutgoingRecord[]) => readonly OutgoingRecord[]): Tamper {
  const broker = (inner: Broker): Broker => ({
    ...inner,
    producer: async () => {
      const producer = await inner.producer()
      return {
        ...producer,
        send: async (records) => {
          const sent = change(records)
          const appended = await producer.send(sent)
          return records.map(
            (record) => appended[sent.indexOf(record)] ?? { topic: record.topic, partition: 0, offset: 0 },
          )
        },
      }
    },
  })
  return { broker }
}

/** A store whose claims answer otherwise. */
function claiming(change: (claims: ClaimStore) => Partial<ClaimStore>): Tamper {
  const store = (inner: Store): Store => ({
    ...inner,
    claimsOf: (agent, options) => {
      const claims = inner.claimsOf(agent, options)
      return { ...claims, ...change(claims) }
    },
  })
  return { store }
}

describe('the judge', () => {
  it('finds nothing wrong with the runtime as it is', async () => {
    expect(await found({}, 5)).toEqual([])
  })

  it('I1: sees a producer that drops an output which it says is appended', async () => {
    let count = 0
    const drop = sending((records) => records.filter(({ topic }) => topic !== 'test.left' || count++ !== 7))
    expect(await found(drop)).toContain('I1')
  })

  it('I2: sees a producer that sends a record twice, the second time with another key', async () => {
    const twice = sending((records) =>
      records.flatMap((record) => (record.topic === 'test.out' ? [record, { ...record, key: 'other' }] : [record])),
    )
    expect(await found(twice)).toContain('I2')
  })

  it('I3: sees a consumer that takes every record for one of its own key', async () => {
    const keyless: Tamper = {
      broker: (inner) => ({
        ...inner,
        consumer: (options, handlers) =>
          inner.consumer(options, {
            onAssigned: (assignment) => handlers.onAssigned(assignment),
            onRebalancing: () => handlers.onRebalancing(),
            onCrash: (error) => handlers.onCrash(error),
            onBatch: (batch) => {
              const records = batch.records.map((record) => ({ ...record, key: Buffer.from(String(record.offset)) }))
              return handlers.onBatch({ ...batch, records })
            },
          }),
      }),
    }
    expect(await found(keyless)).toContain('I3')
  })

  it('I4: sees a store that accepts the result of any owner', async () => {
    const any = claiming(forgetful)
    const invariants = await found(any)
    expect(invariants).toContain('I4')
  })

  it('I5: sees a store that takes the last member of a topic, and forgets that the join was fired', async () => {
    const twice = testAgent({
      ...{ name: 'test.a', consumes: 'test.in', produces: ['test.left'] },
      handle: (event: Note, { publish }: TestContext) => {
        for (const name of ['first', 'second']) publish('test.left', { text: `${event.text} ${name}` }, { name })
      },
    })
    expect(await found(claiming(lastMembers), 3, [twice, ...agents.slice(1)])).toContain('I5')
  })

  it('I5: sees a log on which a join was fired twice, with other members', async () => {
    const history = await historyOfRun(agents)
    const fired = history.facts.find(({ fact }) => fact.agent === 'test.join' && fact.outcome === 'completed')
    expect(joinedOnce(history)).toEqual([])
    if (fired === undefined) expect.unreachable('no join was fired')
    const again = { ...fired, fact: { ...fired.fact, inputs: fired.fact.inputs.slice(1) } }
    const findings = joinedOnce({ ...history, facts: [...history.facts, again] })
    expect(findings.map(({ invariant }) => invariant)).toEqual(['I5'])
  })

  it('I8: sees commits that pass over what is not finished', async () => {
    const tooHigh: Tamper = {
      broker: (inner) => ({
        ...inner,
        consumer: async (options, handlers) => {
          const delivered = new Map<string, number>()
          const consumer = await inner.consumer(options, {
            onAssigned: (assignment) => handlers.onAssigned(assignment),
            onRebalancing: () => [],
            onCrash: (error) => handlers.onCrash(error),
            onBatch: (batch) => {
              delivered.set(`${batch.topic}/${batch.partition}`, batch.lastOffset + 1)
              return handlers.onBatch(batch)
            },
          })
          return {
            ...consumer,
            commit: (commits) =>
              consumer.commit(
                commits.map((commit) => ({
                  ...commit,
                  offset: Math.max(commit.offset, delivered.get(`${commit.topic}/${commit.partition}`) ?? 0),
                })),
              ),
          }
        },
      }),
    }
    expect(await found(tooHigh)).toContain('I8')
  })

  it('I9: sees a fold that depends on the order of facts', async () => {
    const history = await historyOfRun(agents)
    expect(orderFree(history)).toEqual([])
    const findings = orderFree(history, ({ facts }) => ({ last: facts.at(-1)?.handlingId }) as never)
    expect(findings.map(({ invariant }) => invariant)).toContain('I9')
  })
})

/** Joins that are never over: every member counts anew, and no result is final. */
function lastMembers(claims: ClaimStore): Partial<ClaimStore> {
  const joins = new Map<string, Map<string, JoinMember>>()
  return {
    join: (requests) =>
      Promise.resolve(
        requests.map(({ flowId, topics, member }): JoinAnswer => {
          const members = (joins.get(flowId) ?? new Map<string, JoinMember>()).set(member.topic, member)
          joins.set(flowId, members)
          const have = [...members.keys()]
          const isComplete = topics.every((topic) => members.has(topic))
          return { result: 'recorded', have, ...(isComplete ? { members: [...members.values()] } : {}) }
        }),
      ),
    ...forgetful(claims),
  }
}

/** Nothing is known of any handling, and every result is accepted. */
function forgetful(claims: ClaimStore): Partial<ClaimStore> {
  return {
    compute: (requests) => {
      return Promise.resolve(
        requests.map(({ owner, attempt, position, outputs }) => {
          return { accepted: true, current: { state: 'computed' as const, owner, attempt, position, outputs } }
        }),
      )
    },
    read: (refs) => Promise.resolve(refs.map(() => ({ state: 'absent' as const }))),
    claim: (requests) =>
      Promise.resolve(
        requests.map(({ owner }) => ({ accepted: true, current: { state: 'claimed' as const, owner, attempt: 1 } })),
      ),
    finish: claims.finish,
  }
}
