/** Compares two flows with their contents: bodies are read only of events that stand at the same position in both. */
import { maskValue } from '../../contracts/index.ts'
import { readBodies } from '../../runtime/internal.ts'
import { diffGraphs, matchedEvents, type Bodies, type FlowDiff, type FlowEvent } from '../../tracing/index.ts'
import type { FoundFlow } from '../find-flow.ts'

/** The difference, and of how many events of both the contents could not be compared. */
export interface Comparison {
  readonly difference: FlowDiff
  readonly notCompared: number
}

/** `maxBodies` 0 compares no contents. */
export async function compareFlows(left: FoundFlow, right: FoundFlow, maxBodies: number): Promise<Comparison> {
  if (maxBodies === 0) return { difference: diffGraphs(left.graph, right.graph), notCompared: 0 }
  const pairs = matchedEvents(left.graph, right.graph)
  const read = pairs.slice(0, maxBodies)
  const bodies = new Map([
    ...(await bodiesOf(
      left,
      read.map(([event]) => event),
    )),
    ...(await bodiesOf(
      right,
      read.map(([, event]) => event),
    )),
  ])
  const compared = pairs.filter(([ours, theirs]) => bodies.has(ours.id) && bodies.has(theirs.id)).length
  return { difference: diffGraphs(left.graph, right.graph, bodies), notCompared: pairs.length - compared }
}

/** Read unmasked, so that personal fields are compared; shown masked. */
async function bodiesOf({ log }: FoundFlow, events: readonly FlowEvent[]): Promise<Bodies> {
  const bodies = await readBodies(log, events, { unmask: true })
  return new Map(
    events.flatMap(({ id, topic }) => {
      const body = bodies.get(id)
      if (body?.state !== 'read') return []
      const schema = log.contracts.topics.get(topic)?.schema
      return [[id, { value: body.value, shown: schema === undefined ? body.value : maskValue(schema, body.value) }]]
    }),
  )
}
