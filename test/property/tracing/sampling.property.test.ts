/** Sampling is a function of the flow id, monotonic in the ratio, and close to the ratio even for ids that are not random. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deriveId } from '../../../contracts/ids.ts'
import { isFlowSampled } from '../../../tracing/sampling.ts'

const ratio = fc.double({ min: 0, max: 1, noNaN: true })

describe('isFlowSampled', () => {
  it('keeps a flow sampled at every higher ratio', () => {
    fc.assert(
      fc.property(fc.uuid(), ratio, ratio, (flowId, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a]
        if (isFlowSampled(flowId, low)) expect(isFlowSampled(flowId, high)).toBe(true)
      }),
    )
  })

  it.each([
    ['derived', (index: number) => deriveId(String(index))],
    ['counted', (index: number) => `01890000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`],
  ])('samples the asked share of %s ids', (_what, flowId) => {
    for (const share of [0, 0.01, 0.25, 1]) {
      let sampled = 0
      for (let index = 0; index < 20_000; index++) if (isFlowSampled(flowId(index), share)) sampled++
      expect(Math.abs(sampled / 20_000 - share)).toBeLessThan(0.015)
    }
  })
})
