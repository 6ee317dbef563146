/** Sums up a document in its own sentences. Ranking them is heavy, so it runs in a thread and other events go on. */
import { defineAgent, offload } from 'laban'

const inThread = offload<typeof import('./text/summarize.ts')>(new URL('./text/summarize.ts', import.meta.url))

export default defineAgent({
  name: 'documents.summarizer',
  version: '1.0.0',
  summary: 'Sums up a document in its most important sentences.',
  consumes: 'document.parsed',
  produces: ['document.summarized'],
  async handle({ documentId, sections }, { publish, signal }) {
    const texts = sections.map(({ text }) => text)
    publish('document.summarized', {
      documentId,
      ...(await inThread('summarize', { texts, maxSentences: 7 }, { signal })),
    })
  },
})
