/** What is told to somebody who follows a flow, and when it is over. */
import { describe, expect, it } from 'vitest'
import { flowEnd, newsLines } from '../../../tracing/flow-news.ts'
import { reconstructFlow } from '../../../tracing/reconstruct.ts'
import * as stories from './stories.ts'
import type { Story } from './story.ts'

/** The graph after the first so many facts. */
function after(story: Story, facts: number) {
  return reconstructFlow({ flowId: story.flowId, facts: story.facts.slice(0, facts), manifests: story.manifests })
}

describe('newsLines', () => {
  it('tells all at first, then only what is new, in causal order', () => {
    const story = stories.linear()
    expect(newsLines(undefined, after(story, 1))).toEqual(
      ['● t.begun  a1fc2b2c  from loans.csv'].map((line) => line.replace('a1fc2b2c', story.flowId.slice(0, 8))),
    )
    const second = newsLines(after(story, 1), after(story, 2))
    expect(second.map((line) => line.replace(/[0-9a-f]{8}$/, 'id'))).toEqual([
      '✓ a.first  worked 12 ms, waited 3 ms',
      '● t.middle  id',
    ])
    expect(newsLines(after(story, 2), after(story, 2))).toEqual([])
  })

  it('tells of failed attempts with their error', () => {
    const story = stories.retried()
    const [line] = newsLines(after(story, 1), after(story, 2))
    expect(line).toContain('◐ a.shaky')
    expect(line).toContain('LABAN_HANDLER_FAILED Handler of a.shaky failed: 429')
  })

  it('tells many alike in one line', () => {
    const story = stories.wide()
    const lines = newsLines(after(story, 2), after(story, 302))
    expect(lines).toContain('✓ batch.worker  completed × 298')
    expect(lines.length).toBeLessThan(6)
  })
})

describe('flowEnd', () => {
  it('knows a flow that goes on, that is over, and that stands still', () => {
    const story = stories.credit()
    expect(flowEnd(after(story, 1))).toBe('goes on')
    expect(flowEnd(after(story, 4))).toBe('goes on')
    expect(flowEnd(story.graph())).toBe('over')
    expect(flowEnd(stories.incomplete().graph())).toBe('goes on')
    expect(flowEnd(stories.deadLettered().graph())).toBe('stands still')
  })
})
