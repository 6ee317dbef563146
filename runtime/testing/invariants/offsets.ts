/** I8: a committed offset passes over no record whose end was not on the log by then, except those that the commit names as open. */
import type { Fact } from '../../../contracts/fact.ts'
import { decodeOffsetMap } from '../../consume/offset-map.ts'
import { placeOf, type Finding, type History, type PastEvent } from './history.ts'

/** Facts that let a record count as finished: its own end, or that its event had ended before. */
const FINISHES: ReadonlySet<string> = new Set([
  'completed',
  'rejected',
  'dead-lettered',
  'waiting',
  'late',
  'duplicate',
  'suspended',
  'cancelled',
  'compensated',
])

/** The next attempt begins from a record of its own: the event has left its place. A retry in the lane has not. */
function isHandedOver({ outcome, detail }: Fact): boolean {
  return outcome === 'retried' && detail['retryTopic'] !== undefined
}

/** I8: what breaks it. */
export function honestOffsets(history: History): Finding[] {
  return history.agents.flatMap(({ name, topics }) => topics.flatMap((topic) => passedOver(history, name, topic)))
}

function passedOver({ events, facts, commits }: History, agent: string, topic: string): Finding[] {
  const finishedAt = new Map<string, number>()
  for (const { fact, at } of facts) {
    if (fact.agent !== agent || !(FINISHES.has(fact.outcome) || isHandedOver(fact))) continue
    for (const { eventId } of fact.inputs) if (!finishedAt.has(eventId)) finishedAt.set(eventId, at)
  }
  const partitions = Map.groupBy(
    events.filter((event) => event.topic === topic),
    ({ partition }) => partition,
  )
  const wrong: Finding[] = []
  for (const [partition, records] of partitions) {
    const pending = [...records]
    for (const commit of commits) {
      if (commit.group !== agent || commit.topic !== topic || commit.partition !== partition) continue
      const map = decodeOffsetMap(commit.metadata, commit.offset)
      const isPassed = ({ offset }: PastEvent): boolean => offset < commit.offset || map?.has(offset) === true
      for (const event of pending.filter(isPassed)) {
        if ((finishedAt.get(event.envelope.id) ?? Infinity) > commit.at) {
          const problem = `${agent} committed ${placeOf(commit)} before ${placeOf(event)} had ended`
          wrong.push({ invariant: 'I8', problem, flowId: event.envelope.flowId, records: [placeOf(event)] })
        }
      }
      // What was rightly passed over once is not looked at again: commits of one partition may go back after a rebalance.
      const open = pending.filter((event) => !isPassed(event))
      pending.splice(0, pending.length, ...open)
    }
  }
  return wrong
}
