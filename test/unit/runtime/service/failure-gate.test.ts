/** The gate closes on a row of failures or a share of them, tries one record after a pause, and opens at the first success. */
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../../runtime/ports/logger.ts'
import { FailureGate } from '../../../../runtime/service/failure-gate.ts'
import { createManualClock } from '../../../harness/manual-clock.ts'

let clock: ReturnType<typeof createManualClock>
let limits: number[]
let gate: FailureGate
const fail = (count: number): void => {
  for (let left = count; left > 0; left--) gate.ended(true)
}

beforeEach(() => {
  clock = createManualClock()
  limits = []
  gate = new FailureGate({ agent: 'a.b', clock, log: silentLogger, onLimit: (lanes) => limits.push(lanes) })
})

describe('the gate', () => {
  it('closes after twenty failures in a row, not after nineteen', () => {
    fail(19)
    gate.ended(false)
    fail(19)
    expect(limits).toEqual([])
    fail(1)
    expect(limits).toEqual([0])
    expect(gate.problem?.code).toBe('LABAN_AGENT_FAILING')
  })

  it('closes when more than half of the last hundred failed', () => {
    for (let count = 0; count < 49; count++) {
      gate.ended(false)
      fail(1)
    }
    gate.ended(false)
    fail(1)
    expect(limits).toEqual([])
    fail(2)
    expect(limits).toEqual([0])
  })

  it('tries one after a pause; a failure doubles the pause, a success opens it', async () => {
    fail(20)
    await clock.advance(60_000)
    expect(limits).toEqual([0, 1])
    fail(1)
    expect(limits).toEqual([0, 1, 0])
    await clock.advance(60_000)
    expect(limits).toHaveLength(3)
    await clock.advance(60_000)
    gate.ended(false)
    expect(limits).toEqual([0, 1, 0, 1, Number.POSITIVE_INFINITY])
    expect(gate.problem).toBeUndefined()
    fail(19)
    expect(limits).toHaveLength(5)
  })
})
