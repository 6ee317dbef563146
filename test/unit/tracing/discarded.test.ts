/** A dead letter that was given up: the flow has failed for good, and is no work for anybody. */
import { expect, it } from 'vitest'
import { summarize } from '../../../runtime/readback/list-flows.ts'
import { FlowGroups } from '../../../tracing/group-flow.ts'
import { renderTree } from '../../../tracing/render-tree.ts'
import { Story } from './story.ts'

const ERROR = ['LABAN_HANDLER_FAILED', 'no price'] as const
const PLACE = { deadLetter: 'a.first.dead-letter/0@0' }

function story(...actions: readonly Record<string, string>[]): Story {
  const told = new Story('given up').agent('a.first', ['t.begun'])
  const begun = told.first('t.begun')
  told.tell('dead-lettered', 'a.first', [begun], { to: 5, error: ERROR, detail: PLACE })
  actions.forEach((detail, index) => {
    const telling = {
      from: 1_000 * (index + 1),
      to: 1_000 * (index + 1),
      error: ERROR,
      detail: { ...PLACE, ...detail },
    }
    told.tell('dead-lettered', 'a.first', [begun], { ...telling, attempt: detail['attempt'] === '2' ? 2 : 1 })
  })
  return told
}

const DISCARD = { action: 'discarded', reason: 'test data', operator: 'ana' }

it('stays failed and needs no attention', () => {
  expect(summarize(story().graph())).toMatchObject({ status: 'failed', attention: ['a.first'] })
  const graph = story(DISCARD).graph()
  expect(summarize(graph)).toMatchObject({ status: 'failed', attention: [], errorCodes: ['LABAN_HANDLER_FAILED'] })
  expect(new FlowGroups(graph).overview.groups.find(({ kind }) => kind === 'handlings')).toMatchObject({
    attention: [],
  })
})

it('is drawn with who discarded it, when and why', () => {
  const drawn = renderTree(story(DISCARD).graph())
  expect(drawn).toContain('dead-lettered after 1 attempt and discarded')
  expect(drawn).toContain('dead letter a.first.dead-letter/0@0, discarded by ana at 2026-01-01T10:00:01Z: test data')
})

it('needs attention again when it was redriven after all, and has failed again', () => {
  expect(summarize(story(DISCARD, { attempt: '2' }).graph())).toMatchObject({ attention: ['a.first'] })
})
