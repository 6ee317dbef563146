import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseAnswer } from '../../../../services/research/evidence/choose-answer.ts'
import { confidenceOf } from '../../../../services/research/evidence/confidence.ts'
import { findEvidence } from '../../../../services/research/evidence/find-evidence.ts'

const QUESTION = 'How much water do drip lines save?'
const all = (name: string) => ({ name, text: 'Drip lines save water.' })

const confidence = (...sources: { name: string; text: string }[]): number =>
  confidenceOf(findEvidence(QUESTION, sources))

describe('evidence', () => {
  it('is the sentences that mention terms of the question, word for word, the most relevant first', () => {
    const evidence = findEvidence(QUESTION, [
      { name: 'A', text: 'It rained. Water is dear. Drip lines clog.' },
      { name: 'B', text: 'Drip lines save water!' },
    ])
    expect(evidence.terms).toEqual(['water', 'drip', 'line', 'save'])
    expect(evidence.missingTerms).toEqual([])
    expect(evidence.findings.map(({ source, position, sentence }) => [source, position, sentence])).toEqual([
      ['B', 0, 'Drip lines save water!'],
      ['A', 2, 'Drip lines clog.'],
      ['A', 1, 'Water is dear.'],
    ])
    expect(evidence.findings[0]?.relevance).toBe(1)
  })

  it('counts rare terms more', () => {
    const text = 'Water is dear. Water is wet. Savings are good, so save.'
    const [first] = findEvidence(QUESTION, [{ name: 'A', text }]).findings
    expect(first?.terms).toEqual(['save'])
  })

  it('names what nobody speaks of', () => {
    expect(findEvidence(QUESTION, [{ name: 'A', text: 'Water is dear.' }]).missingTerms).toEqual([
      'drip',
      'line',
      'save',
    ])
  })
})

describe('confidence', () => {
  it.each([
    ['nothing found', [{ name: 'A', text: 'It rained.' }], 0],
    ['one full sentence of one source', [all('A')], 0.5],
    ['the same from two sources', [all('A'), all('B')], 0.75],
    ['the same from three sources', [all('A'), all('B'), all('C')], 0.875],
    [
      'two sentences of one source',
      [{ name: 'A', text: 'Drip lines save water. We save water by drip.' }],
      1 - 2 ** -1.5,
    ],
    [
      'half the terms, two sources',
      [
        { name: 'A', text: 'Drip lines clog.' },
        { name: 'B', text: 'Buy drip lines.' },
      ],
      0.375,
    ],
    ['a quarter of the terms supports nothing', [{ name: 'A', text: 'Water is dear.' }], 0],
  ])('%s', (_what, sources, expected) => {
    expect(confidence(...sources)).toBeCloseTo(expected, 10)
  })

  it('never falls when a source is added, and stays within 0 and 1', () => {
    const text = fc
      .array(fc.constantFrom('Drip', 'lines', 'save', 'water', 'rain', 'Moon.', 'dear.'), { maxLength: 12 })
      .map((words) => words.join(' '))
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), text, (texts, more) => {
        const sources = texts.map((text, index) => ({ name: String(index), text }))
        const before = confidence(...sources)
        const after = confidence(...sources, { name: 'more', text: more })
        expect(before).toBeGreaterThanOrEqual(0)
        expect(after).toBeLessThanOrEqual(1)
        expect(after).toBeGreaterThanOrEqual(before)
      }),
    )
  })
})

describe('an answer', () => {
  const answer = (...sources: { name: string; text: string }[]) =>
    chooseAnswer(findEvidence(QUESTION, sources).findings, 5).map(({ sentence }) => sentence)

  it('does not say the same thing twice', () => {
    expect(answer(all('A'), all('B'))).toEqual(['Drip lines save water.'])
  })

  it('adds what is new, in the order of each source', () => {
    const text =
      'Inspected drip lines last twelve years. Half of our water was left when we began to save by drip lines.'
    expect(answer({ name: 'A', text })).toEqual([
      'Inspected drip lines last twelve years.',
      'Half of our water was left when we began to save by drip lines.',
    ])
  })

  it('is empty without findings', () => {
    expect(chooseAnswer([], 5)).toEqual([])
  })
})
