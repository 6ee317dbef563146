/** Graphs of small flows: status, times, joins, and what is missing. */
import { describe, expect, it } from 'vitest'
import { deriveId } from '../../../contracts/ids.ts'
import type { FlowGraph, FlowHandling } from '../../../tracing/flow-graph.ts'
import { reconstructFlow } from '../../../tracing/reconstruct.ts'
import { EPOCH_MS } from './story.ts'
import * as stories from './stories.ts'

function handling(graph: FlowGraph, agent: string): FlowHandling {
  const found = graph.handlings.filter((candidate) => candidate.agent === agent)
  expect(found).toHaveLength(1)
  return found[0] as FlowHandling
}

const topicsOf = (graph: FlowGraph): readonly string[] => graph.events.map((event) => event.topic)
const agentsOf = (graph: FlowGraph): readonly string[] => graph.handlings.map((found) => found.agent)

describe('a finished flow', () => {
  it('is in causal order with its times', () => {
    const graph = stories.linear().graph()
    expect(topicsOf(graph)).toEqual(['t.begun', 't.middle', 't.ended'])
    expect(agentsOf(graph)).toEqual(['a.first', 'a.second'])
    expect(graph).toMatchObject({ status: 'completed', durationMs: 1_520, startedAtMs: EPOCH_MS })
    expect(graph.traceId).toBe(graph.flowId.replaceAll('-', ''))
    expect(handling(graph, 'a.second')).toMatchObject({ waitedMs: 5, workedMs: 1_500, latencyMs: 1_505, attempts: 1 })
    expect(graph.completeness).toMatchObject({ complete: true, events: 3, reactionsExpected: 2, reactionsEnded: 2 })
  })

  it('knows its joins, whose members count as one handling', () => {
    const graph = stories.credit().graph()
    expect(graph.handlings).toHaveLength(5)
    const risk = handling(graph, 'credit.risk-assessment')
    expect(risk.inputs).toHaveLength(2)
    expect(risk.join).toMatchObject({ fired: true, missing: [], late: [], gatheredMs: 25 })
    expect(graph.completeness).toMatchObject({ complete: true, reactionsExpected: 7, reactionsEnded: 7 })
    expect(graph.edges.filter((edge) => edge.to === risk.key)).toHaveLength(2)
    expect(graph.criticalPath.map((key) => key.split('/')[0])).toEqual([
      'credit.income-verification',
      'credit.risk-assessment',
      'credit.final-approval',
    ])
  })

  it('tells of failed attempts, late members and skipped copies', () => {
    const shaky = handling(stories.retried().graph(), 'a.shaky')
    expect(shaky).toMatchObject({ status: 'completed', attempts: 3, workedMs: 60, latencyMs: 620, waitedMs: 2 })
    expect(shaky.failedAttempts.map((attempt) => attempt.attempt)).toEqual([1, 2])
    const graph = stories.lateAndDuplicate().graph()
    expect(handling(graph, 'a.joiner').join?.late).toHaveLength(1)
    expect(handling(graph, 'a.right')).toMatchObject({ duplicatesSkipped: 1, status: 'completed' })
    expect(graph.completeness.complete).toBe(true)
    expect(graph.events[0]?.copies).toBe(1)
  })
})

describe('a flow that is not as it should be', () => {
  it('has failed at a dead letter, and the joins behind it are stuck', () => {
    const graph = stories.deadLettered().graph()
    expect(graph.status).toBe('failed')
    expect(handling(graph, 'credit.credit-score')).toMatchObject({
      status: 'failed',
      errorCode: 'LABAN_ATTEMPTS_EXHAUSTED',
      deadLetter: 'credit.credit-score.dead-letter/0@17',
    })
    expect(handling(graph, 'credit.risk-assessment')).toMatchObject({
      status: 'stuck',
      outcome: 'waiting',
      join: { missing: ['credit.score-calculated'] },
    })
    expect(graph.completeness).toMatchObject({ complete: false, reactionsExpected: 5, reactionsEnded: 3 })
  })

  it('completes after a redrive, and runs while the redrive runs', () => {
    const story = stories.deadLettered()
    const received = story.facts[0]?.outputs[0]
    const [input] = story.facts[1]?.inputs ?? []
    if (received === undefined || input === undefined) throw new Error('the story has changed')
    const event = { ...input, atMs: 0 }
    story.tell('started', 'credit.credit-score', [event], { from: 9_000, to: 11_000, attempt: 6 })
    expect(handling(story.graph(), 'credit.credit-score').status).toBe('processing')
    story.completed('credit.credit-score', [event], ['credit.score-calculated'], {
      from: 9_000,
      to: 11_500,
      attempt: 6,
    })
    expect(handling(story.graph(), 'credit.credit-score')).toMatchObject({ status: 'completed', deadLetter: null })
  })

  it('is processing while something runs, and names who has not been heard of', () => {
    const graph = stories.incomplete().graph()
    expect(graph.status).toBe('processing')
    expect(handling(graph, 'credit.credit-score').status).toBe('processing')
    expect(handling(graph, 'credit.income-verification')).toMatchObject({ status: 'pending', attempts: 0 })
    expect(handling(graph, 'credit.final-approval').status).toBe('waiting')
    expect(graph.events[0]?.awaiting).toEqual(['credit.credit-score', 'credit.income-verification'])
    expect(graph.completeness).toMatchObject({ complete: false, reactionsExpected: 4, reactionsEnded: 1 })
  })

  it('does not expect an agent whose subscription began later', () => {
    const story = stories.linear()
    const [manifest] = story.agent('a.newcomer', ['t.begun']).manifests.slice(-1)
    if (manifest === undefined) throw new Error('no manifest')
    story.manifests.splice(-1, 1, { ...manifest, subscribedFrom: { 't.begun/0': 1 } })
    expect(story.graph().completeness.complete).toBe(true)
    story.manifests.splice(-1, 1, { ...manifest, subscribedFrom: { 't.begun/0': 0 } })
    expect(story.graph().completeness).toMatchObject({ complete: false, reactionsExpected: 3, reactionsEnded: 2 })
  })
})

describe('missing knowledge', () => {
  it('is said: no facts, no manifests, nothing at all', () => {
    const story = stories.credit()
    story.facts.length = 0
    const graph = story.graphFromLog()
    expect(agentsOf(graph)).toEqual(agentsOf(stories.credit().graph()))
    expect(graph.handlings.every((found) => found.inferred && found.status === 'completed')).toBe(true)
    expect(graph.completeness.unknown).toHaveLength(2)
    expect(graph.completeness).toMatchObject({ complete: false, reactionsExpected: 7, reactionsEnded: 7 })

    const noManifests = reconstructFlow({ flowId: story.flowId, facts: stories.credit().facts, manifests: [] })
    expect(noManifests.status).toBe('completed')
    expect(noManifests.completeness.unknown[0]).toContain('No agent has announced itself')

    const nothing = reconstructFlow({ flowId: deriveId('nobody'), facts: story.facts, manifests: story.manifests })
    expect(nothing).toMatchObject({ status: 'pending', events: [], handlings: [], completeness: { complete: false } })
  })

  it('about one agent is filled from what it published', () => {
    const story = stories.credit()
    const index = story.facts.findIndex(
      (fact) => fact.agent === 'credit.risk-assessment' && fact.outcome === 'completed',
    )
    story.facts.splice(index, 1)
    const graph = story.graph()
    expect(handling(graph, 'credit.risk-assessment')).toMatchObject({ inferred: true, status: 'completed' })
    expect(handling(graph, 'credit.risk-assessment').inputs).toHaveLength(2)
    expect(graph.completeness.unknown).toEqual(['No fact tells how credit.risk-assessment ended.'])
  })

  it('about the first event and about causes is named', () => {
    const story = stories.linear()
    story.facts.splice(0, 2)
    const graph = story.graph()
    expect(graph.events.map((event) => event.topic)).toEqual(['t.middle', 't.ended', ''])
    expect(graph.completeness.unknown.join(' ')).toContain('The first event was not found')
    expect(graph.completeness.unknown.join(' ')).toContain(`Named as a cause, but never found: ${story.flowId}`)
  })
})

describe('facts against the topics themselves', () => {
  it('finds what was claimed and not published, and what no fact accounts for', () => {
    const story = stories.credit()
    const [removed] = story.records.splice(-1, 1)
    const begun = stories.linear().records[0]
    if (begun === undefined) throw new Error('no record')
    const stray = { ...begun, envelope: { ...begun.envelope, id: deriveId('stray'), flowId: story.flowId } }
    story.records.push(stray)
    const { completeness } = story.graphFromLog()
    expect(completeness).toMatchObject({
      complete: false,
      unpublished: [removed?.envelope.id],
      unaccounted: [stray.envelope.id],
      eventsSeen: 6,
    })
  })

  it('tells a copy from a conflict', () => {
    const story = stories.linear()
    const last = story.records.at(-1)
    if (last === undefined) throw new Error('no record')
    story.records.push({ ...last, position: { ...last.position, offset: 50 } })
    expect(story.graphFromLog().completeness).toMatchObject({ complete: true, idConflicts: [] })
    expect(story.graphFromLog().events.at(-1)?.copies).toBe(1)
    const envelope = { ...last.envelope, contentHash: 'another' }
    story.records.push({ ...last, envelope, position: { ...last.position, offset: 51 } })
    const [conflict] = story.graphFromLog().completeness.idConflicts
    expect(conflict?.eventId).toBe(last.envelope.id)
    expect(conflict?.positions.map((position) => position.offset)).toEqual([2, 50, 51])
  })
})
