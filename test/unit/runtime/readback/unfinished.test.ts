/** Unfinished flows by kind: all counted, the oldest shown, and nothing that cannot be read keeps the others from being found. */
import { describe, expect, it } from 'vitest'
import { FACTS_TOPIC } from '../../../../contracts/contract.ts'
import { listFlows, summarize } from '../../../../runtime/readback/list-flows.ts'
import { readUnfinished } from '../../../../runtime/readback/read-unfinished.ts'
import { shareOut, UnfinishedKinds } from '../../../../runtime/readback/unfinished.ts'
import { Story } from '../../tracing/story.ts'
import * as stories from '../../tracing/stories.ts'
import { createStoryLog, type StoryLog } from './log-of-stories.ts'

const ASKED = { beforeMs: Date.now(), mostGraphs: 500 }

/** Begun and not handled. */
function begun(name: string, atMs = 0): Story {
  const story = new Story(name).agent('a.first', ['t.begun'])
  story.first('t.begun')
  story.facts.forEach((fact, index) => (story.facts[index] = { ...fact, startedAtMs: fact.startedAtMs + atMs }))
  return story
}

/** Begun and handled. */
function ended(name: string): Story {
  const story = begun(name)
  story.completed('a.first', story.records.map(inputOf), ['t.ended'], { to: 3 })
  return story
}

function inputOf({ envelope, position, recordedAtMs }: Story['records'][number]): ReturnType<Story['first']> {
  const { id: eventId, source, causes, hop } = envelope
  return { eventId, source, causes, hop, ...position, recordedAtMs, key: null, atMs: 0 }
}

async function logOf(...told: readonly Story[]): Promise<StoryLog> {
  const log = await createStoryLog()
  await log.write(...told)
  return log
}

describe('unfinished flows of a log', () => {
  it('are those that have not ended well, of every kind', async () => {
    const log = await logOf(stories.credit(), stories.linear(), stories.deadLettered(), begun('one'), begun('two'))
    const { kinds, unreadable, unseen } = await readUnfinished(log, ASKED)
    expect(kinds.map(({ status, firstTopic, attention, count }) => [status, firstTopic, attention, count])).toEqual([
      ['failed', 'credit.application-received', expect.arrayContaining(['credit.credit-score']), 1],
      ['pending', 't.begun', ['a.first'], 2],
    ])
    expect({ unreadable, unseen }).toEqual({ unreadable: [], unseen: [] })
  })

  it('leaves out what has begun just now, and what somebody has given up', async () => {
    const letter = stories.deadLettered()
    const [failed] = letter.facts.filter(({ outcome }) => outcome === 'dead-lettered')
    if (failed === undefined) throw new Error('the story has changed')
    const discarded = { ...failed, endedAtMs: failed.endedAtMs + 1, detail: { action: 'discarded', reason: 'no' } }
    const story = new Story('given up').agent('a.first', ['t.begun'])
    const first = story.first('t.begun')
    for (const detail of [{}, discarded.detail]) {
      const error = ['LABAN_HANDLER_FAILED', 'no'] as const
      story.tell('dead-lettered', 'a.first', [first], { to: 'action' in detail ? 9 : 5, error, detail })
    }
    const log = await logOf(story, begun('young'))
    const [oldest] = (await readUnfinished(log, ASKED)).kinds
    expect(oldest).toMatchObject({ status: 'pending', count: 1 })
    expect((await readUnfinished(log, { ...ASKED, beforeMs: oldest?.startedAtMs ?? 0 })).kinds).toEqual([])
    expect((await listFlows({ ...log, status: 'failed' })).flows).toMatchObject([{ attention: [] }])
  })

  it('names a fact of a newer format, and goes on with the others', async () => {
    const log = await logOf(begun('one'), begun('newer'))
    const newer = begun('newer')
    const [fact] = newer.facts
    if (fact === undefined) throw new Error('the story has a fact')
    await log.append([log.factRecord({ ...fact, formatVersion: 99 })])
    const { kinds, unreadable, among } = await readUnfinished(log, ASKED)
    expect(kinds).toMatchObject([{ count: 1, oldest: [{ flowId: begun('one').flowId }] }])
    expect(unreadable).toMatchObject([{ flowId: newer.flowId, found: 99, known: 1 }])
    expect(unreadable[0]?.place).toMatch(new RegExp(`^${FACTS_TOPIC}/\\d+@\\d+$`))
    expect(await among([newer.flowId, begun('other').flowId])).toEqual(new Set([newer.flowId]))
  })

  it('forgets on the way what has ended, and reads it again when more is told of it', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `flow ${index}`)
    const log = await logOf(...names.map((name, index) => (index % 3 === 0 ? begun(name) : ended(name))))
    // Told much later: another reader has failed on what the first has handled.
    const late = ended('flow 1')
    late.tell('dead-lettered', 'a.other', late.records.slice(0, 1).map(inputOf), { to: 9, error: ['LABAN_X', 'no'] })
    await log.append(late.facts.slice(-1).map(log.factRecord))
    const whole = await readUnfinished(log, ASKED)
    expect(whole.kinds.map(({ status, count }) => [status, count])).toEqual(
      expect.arrayContaining([
        ['pending', 20],
        ['failed', 1],
      ]),
    )
    const swept = await readUnfinished(log, { ...ASKED, sweepAfterFacts: 2 })
    expect(swept.kinds).toEqual(whole.kinds)
  })
})

describe('kinds', () => {
  it('count all and keep the oldest, each kind one at least', () => {
    const kinds = new UnfinishedKinds()
    const graphs = Array.from({ length: 150 }, (_, index) => begun(`flow ${index}`, (index * 7) % 150).graph())
    for (const graph of graphs) kinds.add(summarize(graph), graph, 1)
    const letter = stories.deadLettered().graph()
    kinds.add(summarize(letter), letter)
    const listed = kinds.list(10)
    expect(listed.map(({ count, oldest }) => [count, oldest.length])).toEqual(
      expect.arrayContaining([
        [300, 9],
        [1, 1],
      ]),
    )
    const shown = listed.find(({ count }) => count === 300)?.oldest.map(({ startedAtMs }) => startedAtMs)
    const began = graphs.map(({ startedAtMs }) => startedAtMs).sort((a, b) => (a ?? 0) - (b ?? 0))
    expect(shown).toEqual(began.slice(0, 9))
  })

  it('share what room there is', () => {
    expect(shareOut([5, 1, 3], 100)).toEqual([5, 1, 3])
    expect(shareOut([5, 1, 3], 6)).toEqual([3, 1, 2])
    expect(shareOut([5, 1, 3], 2)).toEqual([1, 1, 1])
    expect(shareOut([], 5)).toEqual([])
  })
})
