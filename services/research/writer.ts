/** Writes the report: the answer with numbered sources, what it does not cover, and how sure it is. */
import { defineAgent } from 'laban'

export default defineAgent({
  name: 'research.writer',
  version: '1.0.0',
  summary: 'Writes a report from an analysis.',
  consumes: 'analysis.ready',
  produces: ['report.published'],
  handle({ requestId, question, answer, keyPhrases, missingTerms, confidence }, { publish }) {
    const sources = [...new Set(answer.map(({ source }) => source))]
    const sentences = answer.map(({ sentence, source }) => `${sentence} [${sources.indexOf(source) + 1}]`)
    const body = [
      `# ${question}`,
      sentences.join(' '),
      `**Key phrases:** ${keyPhrases.join(', ')}`,
      ...(missingTerms.length > 0 ? [`**Not covered by the sources:** ${missingTerms.join(', ')}`] : []),
      `**Confidence:** ${Math.round(confidence * 100)} %`,
      ['## Sources', ...sources.map((source, index) => `${index + 1}. ${source}`)].join('\n'),
    ].join('\n\n')
    publish('report.published', { requestId, title: question, body: `${body}\n`, sources, confidence })
  },
})
