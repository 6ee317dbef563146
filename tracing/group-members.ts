/** Which events and handlings of a flow belong together. Groups are found by name and by event without making a text for each member. */
import type { Uuid } from '../contracts/ids.ts'
import type { FlowEvent, FlowGraph, FlowHandling } from './flow-graph.ts'

/** Members that belong together, in causal order. */
export interface GroupOf<T> {
  readonly id: string
  /** Of its events, or of what its handlings handle; '' when unknown. */
  readonly topic: string
  readonly members: T[]
}

/** All groups of a flow, by their ids, in the order of their first members. */
export interface GroupedMembers {
  readonly events: ReadonlyMap<string, GroupOf<FlowEvent>>
  readonly handlings: ReadonlyMap<string, GroupOf<FlowHandling>>
  readonly byEvent: ReadonlyMap<Uuid, GroupOf<FlowEvent>>
  readonly groupIdOf: (handling: FlowHandling) => string
}

/** Groups events by type and source, and handlings by agent and what they handle; a join is a group of its own. */
export function groupMembers(graph: FlowGraph): GroupedMembers {
  const events = new Groups<FlowEvent>()
  const byEvent = new Map<Uuid, GroupOf<FlowEvent>>()
  for (const event of graph.events) {
    const { topic, source } = event
    const group = events.of(topic, source, () => ({ id: `event ${topic} from ${source ?? 'unknown'}`, topic }))
    group.members.push(event)
    byEvent.set(event.id, group)
  }
  const handlings = new Groups<FlowHandling>()
  const groupOf = ({ agent, inputs, join }: FlowHandling): GroupOf<FlowHandling> => {
    // Of a join there is one in a flow, whatever has reached it so far.
    if (join !== null) return handlings.of(agent, null, () => ({ id: `join ${agent}`, topic: '' }))
    const topic = byEvent.get(inputs[0] ?? '')?.topic ?? 'unknown'
    return handlings.of(agent, topic, () => ({ id: `agent ${agent} of ${topic}`, topic }))
  }
  for (const handling of graph.handlings) groupOf(handling).members.push(handling)
  return { events: events.byId, handlings: handlings.byId, byEvent, groupIdOf: (handling) => groupOf(handling).id }
}

/** Groups by the two names that make them; a member of a known group costs two look-ups of short names. */
class Groups<T> {
  readonly byId = new Map<string, GroupOf<T>>()
  readonly #byNames = new Map<string, Map<string | null, GroupOf<T>>>()

  of(name: string, second: string | null, begin: () => Omit<GroupOf<T>, 'members'>): GroupOf<T> {
    let bySecond = this.#byNames.get(name)
    if (bySecond === undefined) this.#byNames.set(name, (bySecond = new Map<string | null, GroupOf<T>>()))
    let group = bySecond.get(second)
    if (group === undefined) {
      const begun = begin()
      // Names may hold anything: two pairs of them can make one id.
      group = this.byId.get(begun.id) ?? { ...begun, members: [] }
      this.byId.set(group.id, group)
      bySecond.set(second, group)
    }
    return group
  }
}
