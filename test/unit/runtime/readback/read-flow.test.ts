/** Flows read back from a log: by facts alone, with the events themselves, one and all. */
import { describe, expect, it } from 'vitest'
import { FACTS_TOPIC } from '../../../../contracts/contract.ts'
import { deriveId, foreignEventId } from '../../../../contracts/ids.ts'
import { listFlows, readAllFlows } from '../../../../runtime/readback/list-flows.ts'
import { readManifests } from '../../../../runtime/readback/platform-records.ts'
import { readFlow } from '../../../../runtime/readback/read-flow.ts'
import type { FlowGraph } from '../../../../tracing/flow-graph.ts'
import { Story } from '../../tracing/story.ts'
import * as stories from '../../tracing/stories.ts'
import { createStoryLog } from './log-of-stories.ts'

const shapeOf = (graph: FlowGraph) => [graph.status, graph.events.map((event) => event.topic), graph.handlings.length]

async function collect(graphs: AsyncIterable<FlowGraph>): Promise<readonly FlowGraph[]> {
  const all: FlowGraph[] = []
  for await (const graph of graphs) all.push(graph)
  return all
}

describe('readFlow', () => {
  it('finds a flow among others by its facts', async () => {
    const log = await createStoryLog()
    await log.write(stories.credit(), stories.linear(), stories.deadLettered())
    const credit = stories.credit()
    const graph = await readFlow({ ...log, flowId: credit.flowId })
    expect(shapeOf(graph)).toEqual(shapeOf(credit.graph()))
    expect(graph.completeness).toMatchObject({ complete: true, eventsSeen: null })
    expect(await readManifests(log)).toHaveLength(7)
  })

  it('meets the events themselves, wherever keys have put them', async () => {
    const log = await createStoryLog()
    const story = stories.linear()
    const keyed = story.records[1]
    if (keyed === undefined) throw new Error('the story has changed')
    story.records[1] = { ...keyed, key: 'customer-7' }
    await log.write(stories.credit(), story)
    const graph = await readFlow({ ...log, flowId: story.flowId, fromLog: true })
    expect(graph.completeness).toMatchObject({ complete: true, events: 3, eventsSeen: 3 })
    expect(graph.events.map((event) => event.key)).toEqual([null, 'customer-7', null])
  })

  it('needs no facts when it may read the topics', async () => {
    const log = await createStoryLog()
    const story = stories.credit()
    story.facts.length = 0
    await log.write(story)
    await expect(readFlow({ ...log, flowId: story.flowId })).rejects.toMatchObject({ code: 'LABAN_FLOW_NOT_FOUND' })
    const graph = await readFlow({ ...log, flowId: story.flowId, fromLog: true })
    expect(graph.handlings).toHaveLength(5)
    expect(graph.completeness).toMatchObject({ complete: false, eventsSeen: 6 })
  })

  it('reports what a fact claims and the topic does not have', async () => {
    const log = await createStoryLog()
    const story = stories.credit()
    const [lost] = story.records.splice(3, 1)
    await log.write(story)
    const graph = await readFlow({ ...log, flowId: story.flowId, fromLog: true })
    expect(graph.completeness).toMatchObject({ complete: false, unpublished: [lost?.envelope.id], eventsSeen: 5 })
  })

  it('finds the first event of a foreign producer by the place that facts name', async () => {
    const log = await createStoryLog()
    const [place] = await (
      await log.broker.producer()
    ).send([{ topic: 't.begun', partition: 5, key: 'theirs', value: Buffer.from('x'), headers: {} }])
    if (place === undefined) throw new Error('nothing appended')
    const flowId = foreignEventId('t.begun', place.partition, place.offset)
    const story = new Story('foreign').agent('a.first', ['t.begun'])
    const event = { eventId: flowId, topic: 't.begun', partition: 5, offset: 0, hop: 0, source: 'foreign', causes: [] }
    story.completed('a.first', [{ ...event, recordedAtMs: Date.now(), key: 'theirs', atMs: 0 }], [], { from: 1, to: 2 })
    await log.append(story.facts.map((fact) => log.factRecord({ ...fact, flowId })))
    await log.write(new Story('agents').agent('a.first', ['t.begun']))
    const graph = await readFlow({ ...log, flowId, fromLog: true })
    expect(graph.completeness).toMatchObject({ complete: true, eventsSeen: 1, unknown: [] })
    expect(graph.events[0]).toMatchObject({ source: 'foreign', key: 'theirs', position: { partition: 5, offset: 0 } })
  })

  it('says so when nothing carries the id', async () => {
    const log = await createStoryLog()
    await log.write(stories.linear())
    const nobody = readFlow({ ...log, flowId: deriveId('nobody'), fromLog: true })
    await expect(nobody).rejects.toMatchObject({ code: 'LABAN_FLOW_NOT_FOUND' })
  })

  it('refuses facts of a newer format, and passes by what cannot be decoded', async () => {
    const log = await createStoryLog()
    const story = stories.linear()
    await log.write(story)
    await log.append([{ topic: FACTS_TOPIC, key: story.flowId, value: Buffer.from('garbage'), headers: {} }])
    const graph = await readFlow({ ...log, flowId: story.flowId })
    expect(graph.completeness.unknown).toEqual(['Facts of this flow that could not be decoded: 1.'])
    const [fact] = story.facts
    if (fact === undefined) throw new Error('no fact')
    await log.append([log.factRecord({ ...fact, formatVersion: 2 })])
    const tooNew = readFlow({ ...log, flowId: story.flowId })
    await expect(tooNew).rejects.toMatchObject({ code: 'LABAN_FORMAT_TOO_NEW', details: { found: 2, known: 1 } })
  })
})

describe('all flows', () => {
  it('are listed in one pass, by status and key', async () => {
    const log = await createStoryLog()
    const keyed = stories.retried()
    keyed.facts.forEach((fact, index) => {
      keyed.facts[index] = { ...fact, inputs: fact.inputs.map((input) => ({ ...input, key: 'customer-7' })) }
    })
    await log.write(stories.credit(), stories.deadLettered(), keyed)
    const { flows, total } = await listFlows(log)
    expect(total).toBe(3)
    expect(flows.map((flow) => flow.status).sort()).toEqual(['completed', 'completed', 'failed'])
    const failed = await listFlows({ ...log, status: 'failed' })
    expect(failed.flows[0]).toMatchObject({
      firstTopic: 'credit.application-received',
      attention: ['credit.credit-score', 'credit.final-approval', 'credit.risk-assessment'],
      complete: false,
    })
    expect((await listFlows({ ...log, key: 'customer-7' })).flows.map((flow) => flow.flowId)).toEqual([keyed.flowId])
    expect((await listFlows({ ...log, limit: 1 })).flows).toHaveLength(1)
  })

  it('are read back by the thousand, each complete, with the events themselves', async () => {
    const log = await createStoryLog()
    const count = 2_000
    for (let index = 0; index < count; index += 500) {
      await log.write(...Array.from({ length: 500 }, (_, nth) => stories.credit(`credit ${index + nth}`)))
    }
    let complete = 0
    for await (const graph of readAllFlows({ ...log, fromLog: true })) if (graph.completeness.complete) complete++
    expect(complete).toBe(count)
  })

  it('include those without any fact when the topics are read', async () => {
    const log = await createStoryLog()
    const silent = stories.linear()
    silent.facts.length = 0
    await log.write(stories.credit(), silent)
    const graphs = await collect(readAllFlows({ ...log, fromLog: true }))
    expect(graphs.map((graph) => graph.completeness.complete)).toEqual([true, false])
    expect(await collect(readAllFlows(log))).toHaveLength(1)
  })
})
