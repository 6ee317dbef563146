/** Publishes a document once it is both checked and summarized, in whichever order that happens. */
import { defineAgent } from 'laban'

export default defineAgent({
  name: 'documents.publisher',
  version: '1.0.0',
  summary: 'Publishes what was checked and summarized.',
  consumes: { all: ['document.validated', 'document.summarized'] },
  produces: ['document.published'],
  handle(events, { publish }) {
    const { documentId, title, checks, totals } = events['document.validated']
    const { sentences, keyPhrases } = events['document.summarized']
    const page = [
      `# ${title}`,
      ...(sentences.length > 0 ? [sentences.join(' ')] : []),
      ...totals.map(({ label, text }) => `**${label}:** ${text}`),
      `**Key phrases:** ${keyPhrases.join(', ')}`,
      `**Checked:** ${checks.join(', ')}`,
    ]
    publish('document.published', { documentId, title, page: `${page.join('\n\n')}\n`, keyPhrases })
  },
})
