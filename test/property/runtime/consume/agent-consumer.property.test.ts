/** An agent's consumer under any broker: order, single runs, honest commits, bounds, and that nothing ever stands still. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { BrokerDriver } from './broker-driver.ts'

const PARTITIONS = 3

const records = fc.array(
  fc.record({
    gap: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 3 }) }),
    key: fc.nat({ max: 4 }),
    bytes: fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 50 }) }, { weight: 1, arbitrary: fc.constant(30_000) }),
  }),
  { maxLength: 40 },
)

const limits = fc.record({
  order: fc.constantFrom('key' as const, 'none' as const),
  onRevoke: fc.constantFrom('finish' as const, 'abort' as const),
  maxInFlight: fc.integer({ min: 1, max: 6 }),
  maxOpen: fc.integer({ min: 1, max: 12 }),
  maxOpenBytes: fc.constantFrom(5_000, 40_000, 1_000_000),
})

const which = fc.nat({ max: 50 })
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), which, count: fc.integer({ min: 1, max: 15 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('endRun' as const), which }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('finish' as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rebalance' as const),
      share: fc.array(fc.record({ mine: fc.boolean(), kept: fc.boolean(), others: fc.nat({ max: 5 }) }), {
        minLength: PARTITIONS,
        maxLength: PARTITIONS,
      }),
    }),
  },
)

describe('the consumer of an agent', () => {
  it('keeps order, bounds and honest commits, and comes to an end, whatever the broker does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(records, { minLength: PARTITIONS, maxLength: PARTITIONS }),
        limits,
        fc.array(step, { maxLength: 120 }),
        async (plan, bounds, steps) => {
          const driver = new BrokerDriver(plan, bounds)
          driver.rebalance(plan.map(() => ({ mine: true, kept: false })))
          for (const next of steps) {
            if (next.kind === 'deliver') driver.deliver(next.which, next.count)
            else if (next.kind === 'endRun') await driver.endRun(next.which)
            else if (next.kind === 'finish') driver.finish(next.which)
            else if (next.kind === 'tick') await driver.tick()
            else driver.rebalance(next.share)
          }
          await driver.finishAll()
        },
      ),
      { numRuns: 400 },
    )
  })
})
