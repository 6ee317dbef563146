/** What a large flow does again and again is told once, and found without looking at everything for each of its handlings. */
import { describe, expect, it } from 'vitest'
import { diagnose, type DiagnoseOptions } from '../../../../tracing/diagnose/diagnose.ts'
import type { Verdict } from '../../../../tracing/diagnose/verdict.ts'
import { chain, fanOut } from '../large-flows.ts'
import { Story } from '../story.ts'
import { seenOf } from './seen.ts'

function verdictsOf(story: Story, options: DiagnoseOptions = {}): readonly Verdict[] {
  const graph = story.graph()
  const { verdict, also } = diagnose(graph, seenOf(graph, story.manifests), options)
  return [verdict, ...also]
}

const codesOf = (verdicts: readonly Verdict[]): readonly string[] => verdicts.map(({ code }) => code)

describe('the diagnosis of a large flow', () => {
  it('names once who publishes what it does not announce, by the event that is asked for', () => {
    const story = new Story('again').agent('a.first', ['t.begun'])
    const published = story.completed('a.first', [story.first('t.begun')], ['t.else', 't.else', 't.else'])
    const found = (options?: DiagnoseOptions): readonly Verdict[] =>
      verdictsOf(story, options).filter(({ code }) => code === 'unexpected-producer')
    expect(found().map(({ subject }) => subject.eventId)).toEqual([published[0]?.eventId])
    expect(found()[0]?.evidence).toContainEqual({ name: 'events like it', value: '2', seenIn: 'laban.facts' })
    const eventId = published[2]?.eventId ?? ''
    expect(found({ eventId }).map(({ subject }) => subject.eventId)).toEqual([eventId])
  })

  it('tells each dead letter, and nothing that comes of the number of events', () => {
    const codes = codesOf(verdictsOf(fanOut(100, 25)))
    expect(codes.filter((code) => code === 'dead-lettered' || code === 'rejected-by-contract')).toHaveLength(3)
    // Nobody of this story announces what it publishes: one for each agent and topic.
    expect(codes.filter((code) => code === 'unexpected-producer')).toHaveLength(3)
    expect(codes).toHaveLength(6)
  })

  it('follows a long flow to its cycle, which is named by the agent that began it', () => {
    const cycles = verdictsOf(chain(3_000)).filter(({ code }) => code === 'cycle')
    expect(cycles).toHaveLength(1)
    expect(cycles[0]?.sentence).toBe(
      'talk.answerer has handled what descends from its own output 99 times: talk.answerer → talk.asker → talk.answerer',
    )
  })
})
