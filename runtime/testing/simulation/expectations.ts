/** What users expect of every flow that has ended: an assertion of their own beside the invariants. */
import type { EventCodec } from '../../../contracts/codec.ts'
import { describeUnknown, isLabanError } from '../../../contracts/errors.ts'
import type { FlowGraph } from '../../../tracing/flow-graph.ts'
import { reconstructFlow } from '../../../tracing/reconstruct.ts'
import type { EventOf, Topic } from '../../events.ts'
import type { Finding, History, PastEvent } from '../invariants/history.ts'

/** A flow of a run that has come to rest. */
export interface SimulatedFlow {
  readonly flowId: string
  /** Values of its events on a topic, each event once, in the order of the log. */
  events<T extends Topic>(topic: T): readonly EventOf<T>[]
  /** Agents that gave up on one of its events. */
  readonly deadLetters: readonly string[]
  /** The flow as `laban flow --json` tells it. */
  readonly graph: FlowGraph
}

/** Throws when a flow did not end as it should. Synchronous: it looks at what is there. */
export type ExpectFlow = (flow: SimulatedFlow) => void

/** Judges every flow by the user's assertion. */
export function expectationsOn(
  codec: EventCodec,
  expect: ExpectFlow | undefined,
): (history: History) => readonly Finding[] {
  if (expect === undefined) return () => []
  return (history) => {
    const byFlow = Map.groupBy(history.events, ({ envelope }) => envelope.flowId)
    return [...byFlow].flatMap(([flowId, events]) => {
      try {
        expect(flowOf(history, codec, flowId, events))
        return []
      } catch (error) {
        return [{ invariant: 'expect', problem: describeUnknown(error), flowId }]
      }
    })
  }
}

function flowOf(history: History, codec: EventCodec, flowId: string, events: readonly PastEvent[]): SimulatedFlow {
  const facts = history.facts.map(({ fact }) => fact).filter((fact) => fact.flowId === flowId)
  const distinct = [...new Map(events.map((event) => [event.envelope.id, event])).values()]
  return {
    flowId,
    events: (topic) =>
      distinct
        .filter((event) => event.topic === topic)
        .flatMap((event) => valuesOf(codec, event) as EventOf<typeof topic>[]),
    // A fact with an action is of a person who dealt with a dead letter, not of an agent that gave up.
    deadLetters: facts
      .filter(({ outcome, detail }) => outcome === 'dead-lettered' && detail['action'] === undefined)
      .map(({ agent }) => agent),
    get graph() {
      return reconstructFlow({ flowId, facts, manifests: history.manifests })
    },
  }
}

/** None when the bytes do not fit the contract. */
function valuesOf(codec: EventCodec, event: PastEvent): readonly unknown[] {
  try {
    const decoded = codec.decode(event.topic, event.value, event)
    return 'value' in decoded ? [decoded.value] : []
  } catch (error) {
    if (isLabanError(error)) return []
    throw error
  }
}
