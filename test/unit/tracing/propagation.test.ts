/** `traceparent` headers by the W3C specification, version by version. */
import { describe, expect, it } from 'vitest'
import {
  formatTraceparent,
  isTraceparent,
  parseTraceparent,
  traceIdOfFlow,
  unsampledTraceparent,
} from '../../../tracing/propagation.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

describe('parseTraceparent', () => {
  it('reads ids and the sampled flag', () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true })
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: false })
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-02`)?.sampled).toBe(false)
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-03`)?.sampled).toBe(true)
  })

  it('reads later versions, with or without more fields', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01`)?.traceId).toBe(TRACE)
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes`)?.spanId).toBe(SPAN)
  })

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['version 00 with more fields', `00-${TRACE}-${SPAN}-01-more`],
    ['later version with a glued tail', `cc-${TRACE}-${SPAN}-01more`],
    ['upper-case hex', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['zero trace id', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['zero span id', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['not hex', `00-${'g'.repeat(32)}-${SPAN}-01`],
    ['flags not hex', `00-${TRACE}-${SPAN}-0x`],
    ['a dash in the wrong place', `00-${TRACE}0${SPAN}-01`],
    ['cut off', `00-${TRACE}-${SPAN}-0`],
  ])('refuses a header that is %s', (_what, header) => {
    expect(parseTraceparent(header)).toBeUndefined()
  })
})

describe('trace ids of flows', () => {
  it('are the 16 bytes of the flow id', () => {
    expect(traceIdOfFlow('0af76519-16cd-43dd-8448-eb211c80319c')).toBe(TRACE)
    expect(unsampledTraceparent('0af76519-16cd-43dd-8448-eb211c80319c')).toBe(`00-${TRACE}-8448eb211c80319c-00`)
  })

  it('are valid even for the nil id and an id whose second half is zero', () => {
    expect(isTraceparent(unsampledTraceparent('00000000-0000-0000-0000-000000000000'))).toBe(true)
    expect(isTraceparent(unsampledTraceparent('0af76519-16cd-43dd-0000-000000000000'))).toBe(true)
    expect(isTraceparent(formatTraceparent(TRACE, SPAN, true))).toBe(true)
  })
})
