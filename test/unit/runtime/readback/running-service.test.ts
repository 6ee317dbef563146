/** What the runtime really writes can be read back: a fan-out, a join, a retry, a dead letter and a foreign producer. */
import { afterEach, describe, expect, it } from 'vitest'
import { listFlows, readAllFlows } from '../../../../runtime/readback/list-flows.ts'
import { readFlow } from '../../../../runtime/readback/read-flow.ts'
import type { FlowGraph } from '../../../../tracing/flow-graph.ts'
import { waitFor } from '../../../harness/wait.ts'
import { memoryWorld, testAgent, testContracts } from '../../../harness/world.ts'

type TestWorld = Awaited<ReturnType<typeof memoryWorld>>

let world: TestWorld | undefined

afterEach(async () => {
  await world?.stop()
  world = undefined
})

async function running(): Promise<TestWorld> {
  world = await memoryWorld()
  let failures = 0
  await world.start([
    testAgent({
      name: 'test.left',
      consumes: 'test.in',
      produces: ['test.left'],
      retry: { baseDelayMs: 1, maxDelayMs: 2, maxAttempts: 2 },
      handle: (event: { text: string }, { publish }) => {
        if (event.text === 'bad') throw new Error('never works')
        if (event.text === 'shaky' && failures++ === 0) throw new Error('works the second time')
        publish('test.left', { text: event.text })
      },
    }),
    testAgent({
      name: 'test.right',
      consumes: 'test.in',
      produces: ['test.right'],
      handle: (event: { text: string }, { publish }) => void publish('test.right', { text: event.text }),
    }),
    testAgent({
      name: 'test.joiner',
      consumes: { all: ['test.left', 'test.right'] },
      produces: ['test.out'],
      handle: (_event: never, { publish }) => void publish('test.out', { text: 'joined' }),
    }),
  ])
  return world
}

function sourceOf({ broker, codec }: TestWorld) {
  return { broker, codec, contracts: testContracts }
}

function untilComplete(started: TestWorld, flowId: string): Promise<FlowGraph> {
  const what = `a complete flow ${flowId}`
  return waitFor(
    async () => {
      const graph = await readFlow({ ...sourceOf(started), flowId, fromLog: true })
      return graph.completeness.complete ? graph : undefined
    },
    { what },
  )
}

describe('flows of a running service', () => {
  it('are complete graphs with their joins and attempts', async () => {
    const started = await running()
    const flowId = await started.publish('test.in', { text: 'shaky' })
    const graph = await untilComplete(started, flowId)
    expect(graph.status).toBe('completed')
    expect(graph.events.map((event) => event.topic)).toEqual(['test.in', 'test.left', 'test.right', 'test.out'])
    expect(graph.handlings.map((handling) => [handling.agent, handling.attempts, handling.inputs.length])).toEqual([
      ['test.left', 2, 1],
      ['test.right', 1, 1],
      ['test.joiner', 1, 2],
    ])
    expect(graph.completeness).toMatchObject({ reactionsExpected: 4, reactionsEnded: 4, eventsSeen: 4, unknown: [] })
  })

  it('say where they failed, and which join waits in vain', async () => {
    const started = await running()
    const flowId = await started.publish('test.in', { text: 'bad' })
    await started.untilFacts('dead-lettered', 1)
    await started.untilFacts('waiting', 1)
    const graph = await readFlow({ ...sourceOf(started), flowId, fromLog: true })
    expect(graph.handlings.map((handling) => [handling.agent, handling.status])).toEqual([
      ['test.left', 'failed'],
      ['test.right', 'completed'],
      ['test.joiner', 'stuck'],
    ])
    expect(graph.handlings[0]?.deadLetter).toMatch(/^test\.left\.dead-letter\/\d+@\d+$/)
    expect((await listFlows({ ...sourceOf(started), status: 'failed' })).flows.map((flow) => flow.flowId)).toEqual([
      flowId,
    ])
  })

  it('begin at a foreign producer as well', async () => {
    const started = await running()
    await started.append('test.in', started.codec.encode('test.in', { text: 'theirs', count: 1 }), {}, 'their-key')
    const [fact] = await started.untilFacts('completed', 3)
    const graph = await untilComplete(started, fact?.flowId ?? '')
    expect(graph.events[0]).toMatchObject({ topic: 'test.in', source: 'foreign', key: 'their-key', hop: 0 })
    expect(graph.status).toBe('completed')
  })

  it('are all read in one pass', async () => {
    const started = await running()
    await Promise.all(Array.from({ length: 50 }, (_, index) => started.publish('test.in', { text: `note ${index}` })))
    await started.untilFacts('completed', 150)
    let complete = 0
    for await (const graph of readAllFlows({ ...sourceOf(started), fromLog: true })) {
      if (graph.completeness.complete) complete++
    }
    expect(complete).toBe(50)
  })
})
