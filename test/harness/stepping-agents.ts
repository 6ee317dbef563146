/**
 * A choreography for simulations: an agent that pays for a model, sleeps up to a week and charges a card; one that gives up on some
 * events; and a join of what both say. No result is ever the same twice, so a second run cannot pass for the first.
 */
import type { Agent } from '../../runtime/agent.ts'
import { terminal } from '../../runtime/outcomes.ts'
import { testAgent, type Note, type TestContext } from './world.ts'

const SECOND_MS = 1_000
/** Short ones wait in memory, long ones as a timer on the log; the longest outlasts what the store remembers of a handled event. */
const SLEEPS_MS = [0, 300, 8 * SECOND_MS, 90 * SECOND_MS, 3_600 * SECOND_MS, 7 * 86_400 * SECOND_MS]
const GIVES_UP_SHARE = 0.3

/** Reads `test.in`, ends on `test.out`. */
export function steppingAgents(): readonly Agent[] {
  return [payer, notary, teller]
}

const payer = testAgent({
  ...{ name: 'test.payer', consumes: 'test.in', produces: ['test.left', 'test.right'] },
  async handle({ count }: Note, { publish, step, effect, sleep }: TestContext) {
    const price = await step('price', drawn)
    const model = await step('model', drawn, { durable: true })
    const sleepMs = SLEEPS_MS[Math.abs(count) % SLEEPS_MS.length] ?? 0
    if (sleepMs > 0) await sleep('settle', sleepMs)
    const receipt = await effect('charge', (key) => `${key} ${drawn()}`)
    publish('test.left', { text: `${price} ${model}` })
    publish('test.right', { text: receipt })
  },
})

const notary = testAgent({
  ...{ name: 'test.notary', consumes: 'test.left', produces: ['test.other'] },
  async handle({ text }: Note, { publish, step }: TestContext) {
    const seal = await step('seal', drawn)
    if (Math.random() < GIVES_UP_SHARE) throw terminal('the notary will not have it')
    publish('test.other', { text: `${text} ${seal}` })
  },
})

const teller = testAgent({
  ...{ name: 'test.teller', consumes: { all: ['test.right', 'test.other'] }, produces: ['test.out'] },
  handle(events: Record<'test.right' | 'test.other', Note>, { publish }: TestContext) {
    publish('test.out', { text: `${events['test.right'].text} ${events['test.other'].text}` })
  },
})

/** Within a simulation `Math.random` follows from its seed. */
function drawn(): string {
  return Math.random().toString(36).slice(2)
}
