/** The small flows that graphs and drawings are tested with. */
import { Story } from './story.ts'

/** One after the other. */
export function linear(): Story {
  const story = new Story('linear').agent('a.first', ['t.begun']).agent('a.second', ['t.middle'])
  const begun = story.first('t.begun')
  const [middle] = story.completed('a.first', [begun], ['t.middle'], { from: 3, to: 15 })
  if (middle !== undefined) story.completed('a.second', [middle], ['t.ended'], { from: 20, to: 1_520 })
  return story
}

/** The credit choreography: a fan-out to three agents, and two joins. */
export function credit(name = 'credit'): Story {
  const story = creditAgents(name)
  const received = story.first('credit.application-received')
  const score = story.completed('credit.credit-score', [received], ['credit.score-calculated'], { from: 3, to: 15 })
  const income = story.completed('credit.income-verification', [received], ['credit.income-verified'], {
    from: 4,
    to: 40,
  })
  const fraud = story.completed('credit.fraud-detection', [received], ['credit.fraud-checked'], { from: 4, to: 22 })
  story.tell('waiting', 'credit.risk-assessment', score, { from: 16, join: true })
  const risk = story.completed('credit.risk-assessment', [...score, ...income], ['credit.risk-assessed'], {
    from: 42,
    to: 58,
  })
  story.tell('waiting', 'credit.final-approval', fraud, { from: 23, join: true })
  story.completed('credit.final-approval', [...fraud, ...risk], ['credit.decision-made'], { from: 60, to: 63 })
  return story
}

/** The agents of the credit choreography, nothing published yet. */
export function creditAgents(name: string): Story {
  return new Story(name)
    .agent('credit.credit-score', ['credit.application-received'])
    .agent('credit.income-verification', ['credit.application-received'])
    .agent('credit.fraud-detection', ['credit.application-received'])
    .agent('credit.risk-assessment', ['credit.score-calculated', 'credit.income-verified'], true)
    .agent('credit.final-approval', ['credit.risk-assessed', 'credit.fraud-checked'], true)
}

/** Two attempts failed, the third succeeded. */
export function retried(): Story {
  const story = new Story('retried').agent('a.shaky', ['t.begun'])
  const begun = story.first('t.begun')
  const error = ['LABAN_HANDLER_FAILED', 'Handler of a.shaky failed: 429'] as const
  story.tell('retried', 'a.shaky', [begun], { from: 2, to: 12, attempt: 1, error })
  story.tell('retried', 'a.shaky', [begun], { from: 200, to: 230, attempt: 2, error })
  const steps = [
    { name: 'analyse', durationMs: 1_500, cost: 0.004, replayed: true },
    { name: 'charge', durationMs: 12, cost: null, replayed: false },
  ]
  story.completed('a.shaky', [begun], ['t.ended'], { from: 600, to: 620, attempt: 3, steps })
  return story
}

/** The score ended in the dead letters, so the risk join can never fire. */
export function deadLettered(): Story {
  const story = creditAgents('dead-lettered')
  const received = story.first('credit.application-received')
  story.tell('dead-lettered', 'credit.credit-score', [received], {
    from: 3,
    to: 9,
    attempt: 5,
    error: ['LABAN_ATTEMPTS_EXHAUSTED', 'Gave up after 5 attempts: no bureau'],
    detail: { deadLetter: 'credit.credit-score.dead-letter/0@17' },
  })
  const income = story.completed('credit.income-verification', [received], ['credit.income-verified'], {
    from: 4,
    to: 40,
  })
  const fraud = story.completed('credit.fraud-detection', [received], ['credit.fraud-checked'], { from: 4, to: 22 })
  story.tell('waiting', 'credit.risk-assessment', income, { from: 41, join: true })
  story.tell('waiting', 'credit.final-approval', fraud, { from: 23, join: true })
  return story
}

/** A second event of one topic reached a join that had fired, and a copy of an input was skipped. */
export function lateAndDuplicate(): Story {
  const story = new Story('late').agent('a.left', ['t.begun']).agent('a.right', ['t.begun'])
  story.agent('a.joiner', ['t.left', 't.right'], true)
  const begun = story.first('t.begun')
  const [left, second] = story.completed('a.left', [begun], ['t.left', 't.left'], { from: 1, to: 10 })
  const [right] = story.completed('a.right', [begun], ['t.right'], { from: 1, to: 20 })
  if (left === undefined || second === undefined || right === undefined) return story
  story.tell('waiting', 'a.joiner', [left], { from: 11, join: true })
  story.completed('a.joiner', [left, right], ['t.ended'], { from: 21, to: 25 })
  story.tell('late', 'a.joiner', [second], { from: 26, join: true })
  story.tell('duplicate', 'a.right', [{ ...begun, offset: 99 }], { from: 30, detail: { found: 'done' } })
  return story
}

/** One agent is at work, another has not been heard of, and the join waits for both. */
export function incomplete(): Story {
  const story = creditAgents('incomplete')
  const received = story.first('credit.application-received')
  const fraud = story.completed('credit.fraud-detection', [received], ['credit.fraud-checked'], { from: 4, to: 22 })
  story.tell('waiting', 'credit.final-approval', fraud, { from: 23, join: true })
  story.tell('started', 'credit.credit-score', [received], { from: 5, to: 2_005 })
  return story
}

/** One event becomes 300 tasks; two of them fail. */
export function wide(): Story {
  const story = new Story('wide').agent('batch.splitter', ['batch.received']).agent('batch.worker', ['batch.task'])
  const received = story.first('batch.received')
  const topics = Array.from({ length: 300 }, () => 'batch.task')
  const tasks = story.completed('batch.splitter', [received], topics, { from: 1, to: 5 })
  tasks.forEach((task, index) => {
    const times = { from: 10 + index, to: 20 + index * 2 }
    if (index % 150 !== 7) return void story.completed('batch.worker', [task], ['batch.result'], times)
    const error = ['LABAN_HANDLER_REJECTED', 'no such page'] as const
    story.tell('dead-lettered', 'batch.worker', [task], {
      ...times,
      error,
      detail: { deadLetter: `batch.worker.dead-letter/0@${index}` },
    })
  })
  return story
}
