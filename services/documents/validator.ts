/** Checks a document. One that fails is a dead letter with every reason, and its publisher waits until somebody has decided. */
import { defineAgent, terminal } from 'laban'
import { checkDocument, totalsOf } from './checks/checks.ts'

export default defineAgent({
  name: 'documents.validator',
  version: '1.0.0',
  summary: 'Checks sections, dates and sums of a document.',
  consumes: 'document.parsed',
  produces: ['document.validated'],
  handle(document, { publish }) {
    const { checks, problems } = checkDocument(document)
    if (problems.length > 0) throw terminal(problems.join('; '))
    const { documentId, title } = document
    publish('document.validated', { documentId, title, checks, totals: totalsOf(document) })
  },
})
