/** The research choreography on the platform's own runtime in memory, with the sample requests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventOf } from 'laban'
import { choreography } from 'laban/testing'
import { describe, expect, it } from 'vitest'
import analyst from '../../../../services/research/analyst.ts'
import researcher from '../../../../services/research/researcher.ts'
import writer from '../../../../services/research/writer.ts'

type Request = EventOf<'research.requested'>

const SAMPLE = join(import.meta.dirname, '../../../../services/research/sample/requests.jsonl')
const samples = readFileSync(SAMPLE, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Request)

const start = () => choreography([researcher, analyst, writer])

describe('the research agents', () => {
  it('answer a question in a report that quotes its sources', async () => {
    await using research = await start()
    const [request] = samples
    await research.when('research.requested', request as Request)
    const [report] = research.published('report.published')
    expect(report, research.drawing()).toMatchObject({
      title: 'How much water does drip irrigation save?',
      sources: ['Canal board, yearly summary', "Valley growers' notebook", 'Letter of a seed merchant'],
    })
    expect(report?.body).toContain(
      'Drip irrigation used 38 percent less water than the sprinklers on the same plots. [2]',
    )
    expect(report?.body).toContain('**Confidence:** 91 %')
    expect(research.flow().status).toBe('completed')
  })

  it('quote only what the sources say', async () => {
    await using research = await start()
    for (const request of samples) await research.given('research.requested', request, { flow: request.requestId })
    const texts = samples.flatMap(({ sources }) => sources.map(({ text }) => text))
    const answers = research.published('analysis.ready').flatMap(({ answer }) => answer)
    expect(answers.length).toBeGreaterThan(6)
    for (const { sentence } of answers) expect(texts.some((text) => text.includes(sentence))).toBe(true)
  })

  it('stop at the analyst when the research is weak: it is rejected, and nobody calls that an error', async () => {
    await using research = await start()
    for (const request of samples) await research.given('research.requested', request, { flow: request.requestId })
    const confident = research
      .published('research.completed')
      .map(({ requestId, confidence }) => [requestId, confidence >= 0.7])
    expect(Object.fromEntries(confident)).toEqual({
      ...{ 'R-0001': true, 'R-0002': true, 'R-0003': false, 'R-0004': false, 'R-0005': true },
    })
    expect(
      research
        .published('report.published')
        .map(({ title }) => title)
        .toSorted(),
    ).toEqual(
      ['R-0001', 'R-0002', 'R-0005']
        .map((id) => samples.find(({ requestId }) => requestId === id)?.question)
        .toSorted(),
    )
    const rejected = research.facts.filter(({ outcome }) => outcome === 'rejected')
    expect(rejected.map(({ agent }) => agent)).toEqual(['research.analyst', 'research.analyst'])
    expect(research.deadLetters).toEqual([])
    expect(research.flow('R-0003').status).toBe('completed')
  })

  it('give up on a question of small words only', async () => {
    await using research = await start()
    await research.when('research.requested', {
      requestId: '',
      question: 'Why is it so?',
      sources: [{ name: 'A', text: 'B.' }],
    })
    expect(research.deadLetters).toMatchObject([{ agent: 'research.researcher', errorCode: 'LABAN_HANDLER_REJECTED' }])
  })

  it.each([
    ['no question', { question: ' \n' }],
    ['no texts', { sources: [] }],
    ['a text without name', { sources: [{ name: '', text: 'A.' }] }],
  ])('hear no request with %s: its contract refuses it', async (_what, change) => {
    await using research = await start()
    const request = { ...(samples[0] as Request), ...change }
    await expect(research.when('research.requested', request)).rejects.toMatchObject({ code: 'LABAN_CONTRACT_RULE' })
  })
})
