/** Reading `traceparent` never throws, and what it accepts is valid. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatTraceparent,
  isTraceparent,
  parseTraceparent,
  unsampledTraceparent,
} from '../../../tracing/propagation.ts'

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const nonZero = (length: number) => hex(length).filter((text) => /[^0]/.test(text))

describe('traceparent', () => {
  it('survives a round trip', () => {
    fc.assert(
      fc.property(nonZero(32), nonZero(16), fc.boolean(), (traceId, spanId, sampled) => {
        expect(parseTraceparent(formatTraceparent(traceId, spanId, sampled))).toEqual({ traceId, spanId, sampled })
      }),
    )
  })

  it('of any garbage is refused without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (garbage) => {
        expect(parseTraceparent(garbage)).toBeUndefined()
      }),
    )
  })

  it('is what the specification describes, even when a valid one is damaged in one place', () => {
    const valid = fc
      .tuple(nonZero(32), nonZero(16))
      .map(([traceId, spanId]) => formatTraceparent(traceId, spanId, true))
    fc.assert(
      fc.property(valid, fc.nat(60), fc.string({ maxLength: 2 }), (header, at, damage) => {
        const damaged = header.slice(0, at) + damage + header.slice(at + 1)
        expect(isTraceparent(damaged)).toBe(isValidByPattern(damaged))
      }),
    )
  })

  it('of an unsampled flow is always valid and unsampled', () => {
    fc.assert(
      fc.property(fc.uuid(), (flowId) => {
        expect(parseTraceparent(unsampledTraceparent(flowId))?.sampled).toBe(false)
      }),
    )
  })
})

function isValidByPattern(header: string): boolean {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/s.exec(header)
  if (match === null || match[1] === 'ff') return false
  if (match[1] === '00' && match[4] !== undefined) return false
  return /[^0]/.test(match[2] ?? '') && /[^0]/.test(match[3] ?? '')
}
