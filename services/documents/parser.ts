/** Takes a received document apart, so that the others need not read markup. */
import { defineAgent } from 'laban'
import { parseDocument } from './text/parse-document.ts'

export default defineAgent({
  name: 'documents.parser',
  version: '1.0.0',
  summary: 'Finds title, sections, dates and amounts of a document.',
  consumes: 'document.received',
  produces: ['document.parsed'],
  handle({ documentId, kind, ...document }, { publish }) {
    publish('document.parsed', { documentId, kind, ...parseDocument(document) })
  },
})
