/** The judge of steps and redrives is judged: stores that forget, repeat or let anybody in are caught; as it is, the runtime is not. */
import { describe, expect, it } from 'vitest'
import type {
  ClaimStore,
  HandlingRef,
  HandlingState,
  Store,
  Transition,
} from '../../../../../runtime/ports/claim-store.ts'
import { stepsOnce } from '../../../../../runtime/testing/invariants/steps.ts'
import { redrivenOnce } from '../../../../../runtime/testing/invariants/redrives.ts'
import type { Tamper } from '../../../../../runtime/testing/simulation/scene.ts'
import { simulateAll } from '../../../../../runtime/testing/simulation/simulate.ts'
import { steppingAgents } from '../../../../harness/stepping-agents.ts'
import { testContracts } from '../../../../harness/world.ts'
import { historyOfRun } from './history-of-run.ts'

const agents = steppingAgents()
/** Without faults: waking from a sleep and redriving are reason enough to begin again. */
async function found(tamper: Tamper): Promise<string[]> {
  const { violation } = await simulateAll(agents, { contracts: testContracts, runs: 5, flows: 10, faults: 0, tamper })
  return [...new Set(violation?.findings.map(({ invariant }) => invariant))]
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

describe('the judge of steps and redrives', () => {
  it('finds nothing wrong with the runtime as it is, and sees all it judges', async () => {
    const options = { contracts: testContracts, runs: 2, flows: 12, faults: 5 }
    const report = await simulateAll(agents, options)
    expect(report.violation).toBeUndefined()
    expect(report.virtualMs).toBeGreaterThan(2 * 7 * 86_400_000)
    const { runs, calls, entries } = await historyOfRun(agents)
    expect(new Set(calls.map(({ kind }) => kind))).toEqual(new Set(['step', 'effect']))
    expect(Math.min(runs.length, entries.length)).toBeGreaterThan(20)
  })

  it('I6: sees a store that forgets its journals', async () => {
    const forgetful = claiming(() => ({
      readJournal: (refs) => Promise.resolve(refs.map(() => new Map<string, Buffer>())),
    }))
    expect(await found(forgetful)).toContain('I6')
  })

  it('I6: sees results that are accepted and not kept', async () => {
    const losing = claiming((claims) => ({
      writeJournal: async (requests) => {
        const answers = await claims.writeJournal(requests)
        // Only its first entry is kept.
        await claims.writeJournal(requests.map((request) => ({ ...request, name: 'other' })))
        return answers
      },
      readJournal: async (refs) => {
        const journals = await claims.readJournal(refs)
        return journals.map((journal) => new Map([...journal].slice(0, 1)))
      },
    }))
    expect(await found(losing)).toContain('I6')
  })

  it('I6: sees an effect whose key changes', async () => {
    const history = await historyOfRun(agents)
    expect(stepsOnce(history)).toEqual([])
    const effect = history.calls.find(({ kind }) => kind === 'effect')
    if (effect === undefined) expect.unreachable('there was no effect')
    const findings = stepsOnce({ ...history, calls: [...history.calls, { ...effect, isStray: true, key: 'another' }] })
    expect(findings.map(({ invariant }) => invariant)).toEqual(['I6'])
  })

  it('I10: sees a store that lets a generation be redriven again', async () => {
    expect(await found(claiming(redrivable))).toContain('I10')
  })

  it('I10: tells a second redrive of a generation from a redrive of the next', async () => {
    const history = await historyOfRun(agents, { seed: 3 })
    expect(redrivenOnce(history)).toEqual([])
    const dead = history.facts.find(({ fact }) => fact.outcome === 'dead-lettered')
    if (dead === undefined) expect.unreachable('nothing was dead-lettered')
    const { agent, handlingId, flowId } = dead.fact
    const run = { at: dead.at + 1, agent, handlingId, flowId, process: 'p1', attempt: 9, isStray: false }
    expect(redrivenOnce({ ...history, runs: [...history.runs, run] }).map(({ invariant }) => invariant)).toEqual([
      'I10',
    ])
  })
})

/** What was redriven and has completed is taken for dead again, in the generation that it was redriven from. */
function redrivable(claims: ClaimStore): Partial<ClaimStore> {
  const generations = new Map<string, number>()
  const computed = new Set<string>()
  const again = ({ handlingId }: HandlingRef, state: HandlingState): HandlingState => {
    const generation = generations.get(handlingId)
    return generation === undefined || state.state !== 'done' ? state : { state: 'dead', generation }
  }
  const accept = (current: HandlingState): Transition => ({ accepted: true, current })
  return {
    read: async (refs) => (await claims.read(refs)).map((state, index) => again(refs[index] ?? NOBODY, state)),
    claim: async (requests) => {
      const answers = await claims.claim(requests)
      return requests.map(({ handlingId, from, owner }, index) => {
        const answer = answers[index] ?? accept({ state: 'absent' })
        if (typeof from !== 'object' || !('deadGeneration' in from)) return answer
        if (!answer.accepted && generations.has(handlingId)) return accept({ state: 'claimed', owner, attempt: 9 })
        generations.set(handlingId, from.deadGeneration)
        return answer
      })
    },
    writeJournal: async (requests) => (await claims.writeJournal(requests)).map(({ current }) => accept(current)),
    compute: async (requests) => {
      const answers = await claims.compute(requests)
      return requests.map(({ handlingId, owner, attempt, position, outputs }, index) => {
        const answer = answers[index] ?? accept({ state: 'absent' })
        if (answer.accepted || !computed.has(handlingId)) {
          computed.add(handlingId)
          return answer
        }
        return accept({ state: 'computed', owner, attempt, position, outputs })
      })
    },
  }
}

const NOBODY: HandlingRef = { flowId: '', handlingId: '' }
