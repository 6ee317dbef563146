/** Turns findings into an answer without repetition. Weak research is none of its business: its contract with the researcher says so. */
import { defineAgent } from 'laban'
import { keyPhrases } from '../text/key-phrases.ts'
import { chooseAnswer } from './evidence/choose-answer.ts'

export default defineAgent({
  name: 'research.analyst',
  version: '1.0.0',
  summary: 'Turns completed research into an analysis.',
  consumes: 'research.completed',
  produces: ['analysis.ready'],
  accepts: { 'research.completed': 'event.confidence >= 0.7' },
  handle({ requestId, question, findings, missingTerms, confidence }, { publish }) {
    publish('analysis.ready', {
      requestId,
      question,
      answer: chooseAnswer(findings, 5),
      keyPhrases: keyPhrases(
        findings.map(({ sentence }) => sentence),
        6,
      ),
      missingTerms,
      confidence,
    })
  },
})
