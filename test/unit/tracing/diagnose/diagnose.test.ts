/** Diagnosis, verdict by verdict, over small stories: the same graph with other observations gives another verdict. */
import { describe, expect, it } from 'vitest'
import type { Manifest } from '../../../../contracts/manifest.ts'
import { diagnose } from '../../../../tracing/diagnose/diagnose.ts'
import type { PredecessorSeen } from '../../../../tracing/diagnose/observations.ts'
import { rootOf, rootsOf, type Diagnosis } from '../../../../tracing/diagnose/verdict.ts'
import { credit, creditAgents, linear } from '../stories.ts'
import { EPOCH_MS, Story } from '../story.ts'
import { partitionSeen, RENEWED, seenOf, type Changes } from './seen.ts'

/** One agent that has not reacted yet. */
function queued(manifest: Partial<Manifest> = {}): Story {
  const story = new Story('queued').agent('a.first', ['t.begun'])
  story.first('t.begun')
  const [announced] = story.manifests
  if (announced !== undefined) story.manifests[0] = { ...announced, ...manifest }
  return story
}

/** Its one handling failed, and ana has given it up. */
function discarded(): Story {
  const story = new Story('discarded').agent('a.first', ['t.begun'])
  const error = ['LABAN_HANDLER_FAILED', 'no'] as const
  const place = { deadLetter: 'a.first.dead-letter/0@0' }
  const begun = story.first('t.begun')
  story.tell('dead-lettered', 'a.first', [begun], { to: 5, error, detail: place })
  const detail = { ...place, action: 'discarded', reason: 'spam', operator: 'ana' }
  story.tell('dead-lettered', 'a.first', [begun], { to: 3_000, error, detail })
  return story
}

function why(story: Story, changes: Changes = {}, graph = story.graph()): Diagnosis {
  return diagnose(graph, seenOf(graph, story.manifests, changes))
}

const LAGGING = { partitions: new Map([['t.begun/0', partitionSeen()]]) }

describe('diagnose', () => {
  it('says that a flow has completed, with numbers', () => {
    expect(why(linear()).verdict).toMatchObject({
      code: 'completed',
      standing: 'ended',
      sentence: '3 events, 2 handlings, 2 of 2 reactions ended',
    })
    expect(why(credit()).verdict.code).toBe('completed')
  })

  it('names a queue that moves, with the time until it is its turn', () => {
    const story = queued()
    const behind = { partitions: new Map([['t.begun/0', partitionSeen({ committed: 0, moved: 13 })]]) }
    expect(why(story, { agent: behind }).verdict).toMatchObject({ code: 'queued', standing: 'moving' })
    expect(why(story, { agent: LAGGING, nowMs: EPOCH_MS + 1_000 }).verdict.code).toBe('queued')
  })

  it('names a group whose offsets do not move, and not while others run in all its room', () => {
    const story = queued({ policies: { maxInFlight: '2' } })
    expect(why(story, { agent: LAGGING }).verdict).toMatchObject({ code: 'group-stuck', subject: { agent: 'a.first' } })
    expect(why(story, { agent: LAGGING, handling: { runningAhead: 2 } }).verdict.code).toBe('queued')
    // What holds a partition says so itself before long; then a group that does not move is stuck all the same.
    const ahead = { agent: LAGGING, handling: { runningAhead: 1 } }
    expect(why(story, ahead).verdict.code).toBe('queued')
    const lease = new Map(story.manifests.map(({ instance }) => [instance, RENEWED]))
    const later = { ...ahead, nowMs: EPOCH_MS + 60_000, manifest: { seenAtMs: EPOCH_MS + 59_000 }, leases: lease }
    expect(why(story, later).verdict.code).toBe('group-stuck')
  })

  it('names a dead agent by its lease, by its silence, and by its own last word', () => {
    const story = queued()
    const overdue = why(story, { lease: { remainingMs: 5_000, problems: {} } })
    expect(overdue.verdict).toMatchObject({ code: 'no-live-consumer', subject: { agent: 'a.first' } })
    expect(overdue.verdict.sentence).toContain('has not renewed its lease for 5 s')
    const gone = { remainingMs: null, problems: {} }
    const older = { seenAtMs: EPOCH_MS + 1_000 }
    expect(why(story, { lease: gone, manifest: older }).verdict.code).toBe('no-live-consumer')
    // It was heard of after its lease can have been renewed for the last time.
    expect(why(story, { lease: gone }).verdict.code).toBe('store-rebuilding')
    expect(why(story, { manifest: { state: 'stopped' } }).verdict.sentence).toContain('its instance stopped')
    const silent = why(story, { leases: new Map(), manifest: { seenAtMs: EPOCH_MS - 60_000 } })
    expect(silent.verdict.sentence).toContain('was last heard of')
    expect(why(story, { leases: new Map() }).verdict.code).toBe('queued')
  })

  it('names servers that are away before anything that follows from it', () => {
    const story = queued()
    const away = { state: 'away', problem: 'connection refused' } as const
    expect(why(story, { store: away, lease: { remainingMs: null, problems: {} } }).verdict.code).toBe(
      'store-unavailable',
    )
    expect(why(story, { agent: { isRecovered: false } }).verdict.code).toBe('store-rebuilding')
    const told = (problems: Record<string, string>): string =>
      why(story, { manifest: { problems, seenAtMs: EPOCH_MS + 9_500 } }).verdict.code
    expect(told({ store: 'no answer' })).toBe('store-unavailable')
    expect(told({ registry: 'no answer' })).toBe('registry-unavailable')
    expect(told({ failing: 'most fail' })).toBe('agent-failing')
    expect(told({ paused: 'full' })).toBe('partition-paused')
    expect(told({ consume: 'does not' })).toBe('not-ready')
  })

  it('goes by the newer of what a manifest and a lease say', () => {
    const story = queued()
    const lease = { remainingMs: 9_000, problems: { 'a.first': { broker: 'no answer' } } }
    expect(why(story, { lease }).verdict.code).toBe('broker-unreachable')
    expect(why(story, { lease, manifest: { seenAtMs: EPOCH_MS + 9_500 } }).verdict.code).toBe('queued')
  })

  it('names the instance that is cut off from the store, though the store answers others', () => {
    const story = queued()
    const problems = { store: 'the store does not answer' }
    const announced = { problems, seenAtMs: EPOCH_MS + 9_000 }
    for (const remainingMs of [4_000, null]) {
      const { verdict } = why(story, { agent: LAGGING, lease: { remainingMs, problems: {} }, manifest: announced })
      expect(verdict).toMatchObject({ code: 'store-unavailable', subject: { agent: 'a.first' }, next: 'laban agents' })
    }
    // Dead since: it has announced nothing for longer than it does while it lives.
    const dead = { lease: { remainingMs: null, problems: {} }, manifest: { ...announced, seenAtMs: EPOCH_MS - 9_000 } }
    expect(why(story, { agent: LAGGING, ...dead }).verdict.code).toBe('no-live-consumer')
  })

  it('names the one of several instances that has trouble or is silent, where a partition stands', () => {
    const story = queued()
    const [first] = story.manifests
    if (first !== undefined) story.manifests.push({ ...first, instance: 'a.first-2' })
    const leasesWith = (remainingMs: number, problems = {}): Changes => ({
      agent: LAGGING,
      leases: new Map([
        ['a.first-1', { remainingMs, problems }],
        ['a.first-2', RENEWED],
      ]),
    })
    const cut = leasesWith(9_500, { 'a.first': { broker: 'the brokers do not answer' } })
    expect(why(story, cut).verdict).toMatchObject({ code: 'broker-unreachable', subject: { agent: 'a.first' } })
    const silent = why(story, leasesWith(5_000))
    expect(silent.verdict).toMatchObject({ code: 'lease-expired' })
    expect(silent.verdict.sentence).toContain('a.first-1 of a.first has not renewed its lease for 5 s')
    expect(why(story, leasesWith(9_000)).verdict.code).toBe('group-stuck')
  })

  it('does not take a killed agent for a lost store because its clock was ahead', () => {
    const gone = { lease: { remainingMs: null, problems: {} }, manifest: { seenAtMs: EPOCH_MS + 3_600_000 } }
    expect(why(queued(), gone).verdict.code).toBe('no-live-consumer')
  })

  it('names what a group is doing', () => {
    const story = queued()
    expect(why(story, { agent: { group: { state: 'PreparingRebalance', members: 2 } } }).verdict.code).toBe(
      'group-rebalancing',
    )
    expect(why(story, { agent: { group: { state: 'Empty', members: 0 } } }).verdict.code).toBe('group-empty')
  })

  it('tells who runs it, in which step, and when that is slow', () => {
    const story = queued()
    const claim = { state: 'claimed', owner: 'a.first-1', attempt: 1 } as const
    const steps = [{ name: 'price', hasEnded: false, begunAtMs: EPOCH_MS + 8_000, durationMs: 0 }]
    expect(why(story, { handling: { claim, steps } }).verdict).toMatchObject({
      code: 'running',
      sentence: 'a.first is running for 10 s, in price since 2 s',
    })
    const usual = { p50Ms: 10, p99Ms: 40, count: 100 }
    expect(why(story, { handling: { claim, steps }, agent: { usual } }).verdict.code).toBe('slow')
    expect(why(story, { handling: { claim }, agent: { usual: { ...usual, p99Ms: 2_000 } } }).verdict.code).toBe(
      'running',
    )
  })

  it('tells when a claim is taken over, or that nobody is there to do it', () => {
    const story = queued()
    const [first] = story.manifests
    if (first !== undefined) story.manifests.push({ ...first, instance: 'a.first-2' })
    const claim = { state: 'claimed', owner: 'a.first-1', attempt: 2 } as const
    const leases = new Map([
      ['a.first-1', { remainingMs: 4_000, problems: {} }],
      ['a.first-2', { remainingMs: 9_000, problems: {} }],
    ])
    const expired = why(story, { handling: { claim }, leases })
    expect(expired.verdict).toMatchObject({ code: 'lease-expired' })
    expect(expired.verdict.sentence).toContain('takes over after 10:00:14Z, in 4 s')
    const alone = why(story, { handling: { claim }, lease: { remainingMs: 4_000, problems: {} } })
    expect(alone.verdict.code).toBe('no-live-consumer')
  })

  it('tells when the next attempt comes, and blames nobody before', () => {
    const story = queued()
    const error = ['LABAN_HANDLER_FAILED', 'the service answers 500'] as const
    const event = story.graph().events[0]
    if (event === undefined || event.position === null) throw new Error('the story has a first event')
    const told = {
      ...event.position,
      eventId: event.id,
      hop: 0,
      source: 's',
      causes: [],
      recordedAtMs: EPOCH_MS,
      key: null,
      atMs: 0,
    }
    const dueAt = new Date(EPOCH_MS + 15_000).toISOString()
    story.tell('retried', 'a.first', [told], {
      from: 10,
      to: 20,
      error,
      detail: { dueAt, retryTopic: 'a.first.retry.15s' },
    })
    expect(why(story).verdict).toMatchObject({ code: 'retrying', standing: 'moving' })
    expect(why(story).verdict.sentence).toContain(
      'the next comes in 5 s from a.first.retry.15s: the service answers 500',
    )
    expect(why(story, { nowMs: EPOCH_MS + 30_000, agent: LAGGING }).verdict.code).not.toBe('retrying')
  })

  it('tells what an event of the same key waits behind', () => {
    const story = queued()
    const predecessor: PredecessorSeen = {
      ...{ eventId: 'e1', flowId: 'f1', topic: 't.begun', partition: 0, offset: 3, key: 'ann', recordedAtMs: EPOCH_MS },
      what: 'dead-letter',
      claim: null,
      deadLetter: {
        place: 'a.first.dead-letter/0@1',
        status: 'open',
        code: 'LABAN_HANDLER_FAILED',
        message: 'no',
        failedAtMs: EPOCH_MS,
        markedAtMs: null,
        note: '',
      },
    }
    const behind = why(story, { handling: { predecessor } })
    expect(behind.verdict).toMatchObject({ code: 'parked-behind', standing: 'stands' })
    expect(rootOf(behind.verdict)).toMatchObject({ code: 'dead-lettered', subject: { flowId: 'f1', eventId: 'e1' } })
    const retried = why(story, { handling: { predecessor: { ...predecessor, what: 'retry', deadLetter: null } } })
    expect(retried.verdict).toMatchObject({ code: 'parked-behind', standing: 'moving' })
    const open = why(story, { handling: { predecessor: { ...predecessor, what: 'open', deadLetter: null } } })
    expect(open.verdict.code).toBe('behind-key')
  })

  it('follows a join through what it lacks to the root', () => {
    const story = creditAgents('half')
    for (const [index, manifest] of story.manifests.entries()) {
      const produces = [
        ['credit.score-calculated'],
        ['credit.income-verified'],
        ['credit.fraud-checked'],
        ['credit.risk-assessed'],
        [],
      ][index]
      story.manifests[index] = { ...manifest, always: produces ?? [] }
    }
    const received = story.first('credit.application-received')
    story.completed('credit.income-verification', [received], ['credit.income-verified'], { from: 4, to: 40 })
    story.completed('credit.fraud-detection', [received], ['credit.fraud-checked'], { from: 4, to: 22 })
    const graph = story.graph()
    const well = seenOf(graph, story.manifests, { manifest: { seenAtMs: EPOCH_MS + 1_000 } })
    const leases = new Map([...well.leases, ['credit.credit-score-1', { remainingMs: null, problems: {} }] as const])
    const diagnosis = diagnose(graph, { ...well, leases })
    expect(diagnosis.verdict.code).toBe('waiting-for-join')
    expect(rootsOf(diagnosis.verdict).map(({ code, subject }) => [code, subject.agent])).toEqual([
      ['no-live-consumer', 'credit.credit-score'],
    ])
    expect(diagnose(graph, well).verdict.standing).not.toBe('ended')
  })

  it('says that a missing member will never come', () => {
    const story = new Story('maybe').agent('a.maybe', ['t.begun']).agent('a.join', ['t.begun', 't.maybe'], true)
    const begun = story.first('t.begun')
    story.completed('a.maybe', [begun], [], { from: 1, to: 5 })
    expect(rootOf(why(story).verdict).code).toBe('no-producer')
    const [first] = story.manifests
    if (first !== undefined) story.manifests[0] = { ...first, maybe: ['t.maybe'] }
    expect(rootOf(why(story).verdict).code).toBe('chose-otherwise')
    if (first !== undefined) story.manifests[0] = { ...first, always: ['t.maybe'] }
    expect(rootOf(why(story).verdict).code).toBe('published-nothing')
  })

  it('names first events that nobody was sent', () => {
    const story = new Story('unheard').agent('a.other', ['t.other'])
    story.first('t.begun')
    expect(why(story).verdict).toMatchObject({ code: 'no-subscriber', subject: { topic: 't.begun' } })
    const later = queued({ subscribedFrom: { 't.begun/0': 7 } })
    expect(why(later).verdict).toMatchObject({
      code: 'before-subscription',
      sentence: expect.stringContaining('a.first') as string,
    })
  })

  it('names reactions that are late, and what they wait for', () => {
    const late = why(queued(), { agent: LAGGING, expectedWithinMs: new Map([['t.begun', 8_000]]) })
    expect(late.verdict).toMatchObject({ code: 'late', causes: [{ code: 'group-stuck' }] })
    expect(why(queued(), { expectedWithinMs: new Map([['t.begun', 30_000]]) }).verdict.code).toBe('queued')
  })

  it('names who publishes what it does not announce', () => {
    const story = linear()
    const [first] = story.manifests
    if (first !== undefined) story.manifests[0] = { ...first, always: ['t.else'] }
    const codes = why(story).also.map(({ code }) => code)
    expect(codes).toContain('unexpected-producer')
  })

  it('names a cycle by the agents in it', () => {
    const story = new Story('cycle').agent('a.one', ['t.a']).agent('a.two', ['t.b'])
    let at = [story.first('t.a')]
    for (let turn = 0; turn < 5; turn++) {
      at = story.completed('a.two', story.completed('a.one', at, ['t.b'], { from: turn, to: turn }), ['t.a'], {
        from: turn,
        to: turn,
      })
    }
    expect(why(story).verdict).toMatchObject({
      code: 'cycle',
      sentence: expect.stringContaining('a.one → a.two → a.one') as string,
    })
  })

  it('tells kinds of dead letters apart, and those that are given up or gone', () => {
    const kinds = {
      LABAN_RECORD_QUARANTINED: 'quarantined',
      LABAN_CONTRACT_DECODE: 'undecodable',
      LABAN_CONTRACT_RULE: 'rejected-by-contract',
    }
    for (const [code, kind] of [...Object.entries(kinds), ['LABAN_HANDLER_FAILED', 'dead-lettered'] as const]) {
      const story = new Story(code).agent('a.first', ['t.begun'])
      story.tell('dead-lettered', 'a.first', [story.first('t.begun')], {
        to: 5,
        error: [code, 'no'],
        detail: { deadLetter: 'a.first.dead-letter/0@0' },
      })
      expect(why(story).verdict.code).toBe(kind)
      expect(why(story, { handling: { deadLetter: null } }).verdict.code).toBe('dead-letter-expired')
    }
  })

  it('says who discarded a dead letter, when and why, and that nothing more is to come', () => {
    const story = discarded()
    const { verdict, also } = why(story)
    expect({ verdict, also }).toMatchObject({
      verdict: {
        code: 'discarded',
        standing: 'ended',
        sentence: 'a.first failed, and its dead letter was discarded by ana at 2026-01-01T10:00:03Z: spam',
      },
      also: [],
    })
    // Before the fact is there, its topic tells; who it was is not known.
    const letter = {
      ...{ place: 'a', status: 'discarded', code: 'LABAN_HANDLER_FAILED', message: 'no', failedAtMs: EPOCH_MS },
      ...{ note: 'spam', markedAtMs: EPOCH_MS + 3_000 },
    }
    const early = discarded()
    early.facts.pop()
    expect(why(early, { handling: { deadLetter: letter } }).verdict.sentence).toContain(
      'discarded by somebody at 2026-01-01T10:00:03Z: spam',
    )
  })

  it('says that a join stands which waits for what a discarded dead letter will never bring', () => {
    const story = discarded().agent('a.other', ['t.begun']).agent('a.join', ['t.first', 't.other'], true)
    const [announced] = story.manifests
    if (announced !== undefined) story.manifests[0] = { ...announced, always: ['t.first'] }
    const [begun] = story.facts.flatMap(({ inputs }) => inputs)
    if (begun === undefined) throw new Error('the story has a handling')
    story.completed('a.other', [{ ...begun, atMs: 0 }], ['t.other'], { to: 4 })
    expect(why(story).verdict).toMatchObject({
      code: 'waiting-for-join',
      standing: 'stands',
      causes: [{ code: 'discarded' }],
    })
  })

  it('knows that nothing of a run that has ended is alive', () => {
    expect(why(queued(), { isOver: true, leases: new Map() }).verdict).toMatchObject({ code: 'no-live-consumer' })
  })
})
