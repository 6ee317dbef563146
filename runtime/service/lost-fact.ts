/** The fact of a gap at the head of a partition: records that retention or an operator took away before they were handled. */
import { momentaryFact, type Fact } from '../../contracts/fact.ts'
import { deriveId } from '../../contracts/ids.ts'
import type { TopicPartition } from '../ports/broker.ts'
import type { HandlingDeps } from './deps.ts'

/** Belongs to no flow: its flow id derives from the gap, so that telling it twice is telling it once. */
export function lostFact(
  deps: Pick<HandlingDeps, 'agent' | 'instance' | 'clock'>,
  at: TopicPartition,
  from: number,
  to: number,
): Fact {
  const { agent, instance, clock } = deps
  const id = deriveId('lost', agent.name, at.topic, String(at.partition), String(from), String(to))
  return momentaryFact(clock.nowMs(), {
    ...{ outcome: 'lost', flowId: id, agent: agent.name, agentVersion: agent.version, instance, handlingId: id },
    detail: { topic: at.topic, partition: String(at.partition), from: String(from), to: String(to) },
  })
}
