/** What a contract marks as personal is found in a value, and hidden in texts made from it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hideTexts, personalTexts } from '../../../contracts/personal-values.ts'

const schema = {
  type: 'record',
  name: 'Person',
  fields: [
    { name: 'email', type: 'string', pii: true },
    { name: 'city', type: 'string' },
    { name: 'income', type: 'int', pii: true },
    {
      name: 'address',
      type: { type: 'record', name: 'Address', pii: true, fields: [{ name: 'street', type: 'string' }] },
    },
    { name: 'phones', type: { type: 'array', items: { type: 'string', pii: true } } },
  ],
}
const ann = {
  email: 'ann@example.org',
  city: 'Utrecht',
  income: 52_340,
  address: { street: 'Dam "1"' },
  phones: ['0201234567', 'x'],
}

describe('personal texts', () => {
  it('are the marked parts, however deep, without what is too short to be told from words', () => {
    expect(personalTexts(schema, ann)).toEqual(['ann@example.org', '0201234567', 'Dam \\"1\\"', 'Dam "1"', '52340'])
    expect(
      personalTexts({ type: 'record', name: 'Plain', fields: [{ name: 'a', type: 'string' }] }, { a: 'abcd' }),
    ).toEqual([])
  })

  it('are hidden where they stand, also in JSON, and a number only as a whole', () => {
    const texts = personalTexts(schema, ann)
    const said = `no mail to ann@example.org of Utrecht: ${JSON.stringify(ann.address)}, 52340, 152340 and 5234`
    expect(hideTexts(said, texts)).toBe('no mail to *** of Utrecht: {"street":"***"}, ***, 152340 and 5234')
  })

  it('never remain, whatever they are and wherever they stand', () => {
    const text = fc.string({ minLength: 3 }).filter((each) => each.trim().length >= 3 && !'***'.includes(each))
    fc.assert(
      fc.property(text, fc.string(), fc.string(), (email, before, after) => {
        const hidden = hideTexts(`${before}${email}${after}`, personalTexts(schema, { ...ann, email }))
        if (!/^-?\d+(\.\d+)?$/.test(email) && !`${before}***${after}`.includes(email))
          expect(hidden).not.toContain(email)
      }),
    )
  })
})
