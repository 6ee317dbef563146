/** Flows of 100,000 events in the shapes that hurt: wide, deep, and all of it at one join. */
import { Story, type ToldEvent } from './story.ts'

/** One event becomes `tasks` tasks, each of them `parts` parts, and each part a result; every 1,000th part ends in the dead letters. */
export function fanOut(tasks: number, parts: number): Story {
  const story = new Story(`fan-out ${tasks} ${parts}`)
    .agent('batch.splitter', ['batch.received'])
    .agent('batch.worker', ['batch.task'])
    .agent('batch.checker', ['batch.part'])
  const received = story.first('batch.received')
  const times = { from: 10, to: 20 }
  const split = story.completed('batch.splitter', [received], many('batch.task', tasks), { from: 1, to: 5 })
  let number = 0
  for (const task of split) {
    for (const part of story.completed('batch.worker', [task], many('batch.part', parts), times)) {
      const from = 30 + (number % 500)
      if (number++ % 1_000 !== 7) story.completed('batch.checker', [part], ['batch.checked'], { from, to: from + 5 })
      else fail(story, part, from)
    }
  }
  return story
}

/** Two agents that answer each other, `length` events long. */
export function chain(length: number): Story {
  const story = new Story(`chain ${length}`)
    .agent('talk.asker', ['talk.answered'])
    .agent('talk.answerer', ['talk.asked'])
  let event = story.first('talk.asked')
  for (let at = 1; at < length; at++) {
    const [agent, topic] = at % 2 === 1 ? ['talk.answerer', 'talk.answered'] : ['talk.asker', 'talk.asked']
    const [next] = story.completed(agent, [event], [topic], { from: at * 10 - 5, to: at * 10 })
    if (next === undefined) return story
    event = next
  }
  return story
}

/** `members` events of one topic for a join that needs one: all others are late, or still owed an end. */
export function crowdedJoin(members: number): Story {
  const story = new Story(`crowded ${members}`)
    .agent('batch.splitter', ['batch.received'])
    .agent('batch.collector', ['batch.part', 'batch.approved'], true)
  const received = story.first('batch.received')
  const parts = story.completed('batch.splitter', [received], many('batch.part', members), { from: 1, to: 5 })
  parts.forEach((part, at) =>
    story.tell(at === 0 ? 'waiting' : 'late', 'batch.collector', [part], { from: 9, join: true }),
  )
  return story
}

function many(topic: string, count: number): string[] {
  return Array.from({ length: count }, () => topic)
}

function fail(story: Story, part: ToldEvent, from: number): void {
  story.tell('dead-lettered', 'batch.checker', [part], {
    from,
    to: from + 1,
    attempt: 3,
    error: ['LABAN_HANDLER_REJECTED', 'no such page'],
    detail: { deadLetter: `batch.checker.dead-letter/0@${part.offset}` },
  })
}
