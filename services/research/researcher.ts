/** Searches the texts of a request for sentences that speak of its question, and says how sure it is that they answer it. */
import { defineAgent, terminal } from 'laban'
import { confidenceOf } from './evidence/confidence.ts'
import { findEvidence } from './evidence/find-evidence.ts'

export default defineAgent({
  name: 'research.researcher',
  version: '1.0.0',
  summary: 'Finds the sentences that speak of a question.',
  consumes: 'research.requested',
  produces: ['research.completed'],
  handle({ requestId, question, sources }, { publish }) {
    const evidence = findEvidence(question, sources)
    if (evidence.terms.length === 0) throw terminal(`the question "${question}" has no word to search for`)
    publish('research.completed', { requestId, question, ...evidence, confidence: confidenceOf(evidence) })
  },
})
