import { describe, expect, it } from 'vitest'
import { compileRule } from '../../../contracts/rules.ts'

const EVENT = { fico: 720, confidence: 0.9, tags: ['a', 'b'], note: null, place: { city: 'Oslo' }, counts: { x: 1 } }

describe('compileRule', () => {
  it.each([
    ['event.fico >= 700', true],
    ['event.fico >= 720.5', false],
    ['event.confidence >= 0.7', true],
    ['event.confidence > 1', false],
    ['event.fico == 720', true],
    ['event.fico in [700, 720]', true],
    ['event.fico + 1 > 720', true],
    ['event.fico / 2 == 360', true],
    ['event.fico % 7 == 6', true],
    ['2 * event.confidence > 1.5', true],
    ['event.fico - 100 * event.confidence == 630', true],
    ['size(event.tags) == 2 && "a" in event.tags', true],
    ['event.tags.exists(tag, tag == "c")', false],
    ['event.note == null || size(event.note) > 0', true],
    ['event.place.city == "Oslo"', true],
    ['event.counts.x == 1', true],
    ['has(event.nothing)', false],
  ])('%s is %s on JavaScript numbers and values', (expression, expected) => {
    expect(compileRule(expression)(EVENT)).toBe(expected)
  })

  it.each([
    ['does not parse', 'event.fico >='],
    ['is not boolean', '1 + 1'],
    ['names another variable', 'evnt.fico > 1'],
    ['mixes types that never fit', '"a" + 1 == "a1"'],
  ])('refuses an expression that %s', (_what, expression) => {
    expect(() => compileRule(expression)).toThrow(expect.objectContaining({ code: 'LABAN_RULE_INVALID' }))
  })

  it.each(['event.nothing > 1', 'event.note > 1', 'event.fico'])('never takes %s for false', (expression) => {
    const rule = compileRule(expression)
    expect(() => rule(EVENT)).toThrow(
      expect.objectContaining({ code: 'LABAN_RULE_NOT_EVALUABLE', errorClass: 'terminal' }),
    )
  })
})

describe('compileRule with a schema', () => {
  const city = { type: 'record', name: 'a.City', fields: [{ name: 'city', type: 'string' }] }
  const schema = {
    type: 'record',
    name: 'a.Event',
    fields: [
      { name: 'fico', type: 'int' },
      { name: 'place', type: ['null', city] },
      { name: 'counts', type: { type: 'map', values: 'int' } },
      { name: 'tags', type: { type: 'array', items: 'string' } },
    ],
  }

  it.each([
    'event.fico > 1',
    'event.place != null && event.place.city == ""',
    'event.counts.anything == 1',
    'event.tags.all(tag, tag != "")',
    'has(event.fico) && size(event.tags) > 0',
  ])('accepts %s', (expression) => {
    expect(compileRule(expression, { schema })).toBeTypeOf('function')
  })

  it.each([
    ['event.fcio > 1', 'fico'],
    ['true && (event.fico > 1 || event.place.citty == "")', 'city'],
    ['size(event.tgs) > 0', 'tags'],
    ['event.tags.exists(tag, tag == event.fioc)', 'fico'],
  ])('refuses %s and offers %s', (expression, nearest) => {
    expect(() => compileRule(expression, { schema })).toThrow(`did you mean "${nearest}"`)
  })
})
