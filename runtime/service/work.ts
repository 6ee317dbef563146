/** What one handling works on: a single record, or the members of a complete join. The same shape for both, so that one path treats them. */
import type { FactInput } from '../../contracts/fact.ts'
import { joinHandlingId, type Uuid } from '../../contracts/ids.ts'
import type { WorkPart } from '../admit/work-part.ts'
import type { Task } from '../consume/task.ts'
import type { Handover } from '../retry/handover.ts'
import type { HandlingRef } from '../ports/claim-store.ts'

/** One handling's work. */
export interface Work {
  readonly ref: HandlingRef
  /** The record whose offset this handling finishes; for a join the member that completed it. */
  readonly task: Task
  /** One part, or for a join one per topic, the completing one last. */
  readonly parts: readonly WorkPart[]
  readonly isJoin: boolean
  /** Largest hop of the parts. */
  readonly hop: number
  /** Event ids of the parts. */
  readonly causes: readonly Uuid[]
  /** How it got into a retry topic; undefined for a record of the log that the agent consumes. */
  readonly handover?: Handover
}

/** The work of a record that is handled by itself. */
export function singleWork(task: Task, handover?: Handover): Work {
  const { id, flowId, hop } = task.envelope
  const work = { ref: { flowId, handlingId: id }, task, parts: [task], isJoin: false, hop, causes: [id] }
  return handover === undefined ? work : { ...work, handover }
}

/** Generation of the dead letter that the work was redriven from; 0 when it never was one. */
export function generationOf({ handover }: Work): number {
  return handover?.generation ?? 0
}

/** The work of a complete join. */
export function joinedWork(agent: string, task: Task, members: readonly WorkPart[], handover?: Handover): Work {
  const { flowId } = task.envelope
  const parts = [...members].sort((a, b) => Number(a.topic === task.topic) - Number(b.topic === task.topic))
  return {
    ref: { flowId, handlingId: joinHandlingId(agent, flowId) },
    task,
    parts,
    isJoin: true,
    hop: Math.max(...parts.map((part) => part.envelope.hop)),
    causes: parts.map((part) => part.envelope.id),
    ...(handover === undefined ? {} : { handover }),
  }
}

/** A part as facts name it. */
export function factInput(part: WorkPart): FactInput {
  const { envelope } = part
  return {
    eventId: envelope.id,
    topic: part.topic,
    partition: part.partition,
    offset: part.offset,
    hop: envelope.hop,
    source: envelope.source,
    causes: envelope.causes,
    recordedAtMs: part.timestampMs,
    key: part.keyText,
  }
}
