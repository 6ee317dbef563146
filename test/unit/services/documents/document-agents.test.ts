/** The document choreography on the platform's own runtime in memory, with the sample documents. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventOf } from 'laban'
import { choreography } from 'laban/testing'
import { describe, expect, it } from 'vitest'
import parser from '../../../../services/documents/parser.ts'
import publisher from '../../../../services/documents/publisher.ts'
import summarizer from '../../../../services/documents/summarizer.ts'
import validator from '../../../../services/documents/validator.ts'

type Received = EventOf<'document.received'>

const SAMPLE = join(import.meta.dirname, '../../../../services/documents/sample/documents.jsonl')
const samples = readFileSync(SAMPLE, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Received)
const sample = (id: string): Received => samples.find(({ documentId }) => documentId === id) as Received

/** A loaded machine may take a while to start a thread. */
const start = () => choreography([parser, validator, summarizer, publisher], { timeoutMs: 12_000 })

describe('the document agents', () => {
  it('publish a document that is correct, with summary and total', async () => {
    await using documents = await start()
    await documents.when('document.received', sample('D-0001'))
    const [published] = documents.published('document.published')
    expect(published, documents.drawing()).toMatchObject({
      documentId: 'D-0001',
      title: 'Invoice 2026-114, Harbour Pump Works',
    })
    expect(published?.page).toContain('Harbour Pump Works delivered two feed pumps to the Millbrook water plant.')
    expect(published?.page).toContain('**Total:** EUR 4,200.30')
    expect(documents.flow().status).toBe('completed')
  })

  it('join once, whichever of the two is first', async () => {
    await using documents = await start()
    await documents.when('document.received', sample('D-0002'))
    const publishing = documents.flow().handlings.filter(({ agent }) => agent === 'documents.publisher')
    expect(publishing.map(({ inputs }) => inputs.length)).toEqual([2])
  })

  it('leave the publisher waiting when the validator fails, and show why', async () => {
    await using documents = await start()
    await documents.when('document.received', sample('D-0003'))
    expect(documents.published('document.summarized')).toHaveLength(1)
    expect(documents.published('document.published')).toEqual([])
    const reason =
      'no calendar has the date "31 February 2026"; the amounts of "Items" are EUR 670.00, their total says EUR 690.00'
    expect(documents.deadLetters).toMatchObject([
      { agent: 'documents.validator', errorCode: 'LABAN_HANDLER_REJECTED', errorMessage: reason },
    ])
    const { handlings } = documents.flow()
    expect(handlings.find(({ agent }) => agent === 'documents.validator')).toMatchObject({
      status: 'failed',
      attempts: 1,
    })
    expect(handlings.find(({ agent }) => agent === 'documents.publisher')).toMatchObject({ status: 'stuck' })
    expect(documents.drawing()).toMatch(/documents\.publisher.*document\.validated/s)
  })

  it('publish three of the five samples', async () => {
    await using documents = await start()
    for (const document of samples) await documents.given('document.received', document, { flow: document.documentId })
    expect(documents.published('document.published').map(({ documentId }) => documentId)).toEqual([
      'D-0001',
      'D-0002',
      'D-0005',
    ])
    expect(documents.deadLetters).toHaveLength(2)
  })

  it('hear no document without text: its contract refuses it', async () => {
    await using documents = await start()
    const empty = { ...sample('D-0001'), text: ' \n\t' }
    await expect(documents.when('document.received', empty)).rejects.toMatchObject({ code: 'LABAN_CONTRACT_RULE' })
  })

  it('publish even a document that has no sentence', async () => {
    await using documents = await start()
    await documents.when('document.received', { documentId: 'X', kind: 'other', format: 'plain', text: '---' })
    expect(documents.published('document.published')).toMatchObject([{ title: '---' }])
  })
})
