/**
 * Says when the offset to commit stands still because one record takes long: which one, since when, and what goes on beside it.
 * Nothing is wrong then, but a restart would meet that record again, and people see lag; so it is told in words.
 */
import type { TopicPartition } from '../ports/broker.ts'
import type { Logger } from '../ports/logger.ts'
import type { PartitionState } from './partition.ts'
import type { Task } from './task.ts'

/** A record above which nothing can be committed, though later ones are finished. */
export interface Standstill extends TopicPartition {
  readonly offset: number
  /** Record key as text; null when it has none. */
  readonly key: string | null
  readonly eventId: string
  readonly flowId: string
  /** How long the offset to commit has stood there. */
  readonly standsForMs: number
  /**
   * `handled`: its handler runs, or waits for another instance that has it. `settling`: the handler has ended, its fact is not
   * acknowledged yet. `queued`: it has not begun, because of an earlier record of its key or because enough handlers run.
   */
  readonly state: 'handled' | 'settling' | 'queued'
  /** Offsets above it that are finished and will not run again. */
  readonly finishedAbove: number
  /** Other records of the partition that are taken and unfinished. */
  readonly openBeside: number
  /** Records of the same key that wait for it. */
  readonly sameKeyWaiting: number
  /** Why the partition takes no new records; null when it does. */
  readonly takesNothing: 'map' | 'span' | 'room' | null
}

/** Told from this age on. */
const TELL_AFTER_MS = 30_000
/** First line in the log; the next ones at twice the age each. */
const WARN_AFTER_MS = 60_000
const LONGEST_KEY = 80

const WHY_NOTHING: Readonly<Record<'map' | 'span' | 'room', string>> = {
  map: 'the list of finished offsets that a commit can carry is full',
  span: 'too many offsets lie between it and the newest record',
  room: 'it holds as many unfinished records as it may',
}

/** A standstill as a sentence for people. */
export function describeStandstill(at: Standstill): string {
  const { topic, partition, offset, key, eventId, flowId, takesNothing } = at
  const named = key === null || key === flowId ? '' : `, key ${key}`
  const parts = [
    `${topic}/${partition} commits nothing above offset ${offset} since ${ageText(at.standsForMs)}: ` +
      `event ${eventId} of flow ${flowId}${named} ${STATE_TEXT[at.state]}`,
    `${count(at.finishedAbove, 'later offset is', 'later offsets are')} finished and will not run again`,
  ]
  if (at.sameKeyWaiting > 0)
    parts.push(`${count(at.sameKeyWaiting, 'record of its key waits', 'records of its key wait')} for it`)
  parts.push(
    takesNothing === null
      ? 'other keys go on'
      : `the partition takes no new records until it ends, because ${WHY_NOTHING[takesNothing]}`,
  )
  return parts.join('; ')
}

const STATE_TEXT: Readonly<Record<Standstill['state'], string>> = {
  handled: 'is still being handled',
  settling: 'is handled, and its fact is not acknowledged yet',
  queued: 'has not begun yet',
}

/** Logs standstills of the partitions of one consumer: at one minute, two, four and so on, and when they end. */
export class StandstillLog {
  readonly #log: Logger
  /** Age of the next line, and the place of the last one. */
  readonly #told = new Map<PartitionState, { readonly offset: number; readonly nextAtMs: number }>()

  constructor(log: Logger) {
    this.#log = log
  }

  /** To be called at every commit interval with all that stand still. */
  look(standing: ReadonlyMap<PartitionState, Standstill>): void {
    for (const [state, told] of this.#told) {
      if (standing.get(state)?.offset === told.offset) continue
      this.#told.delete(state)
      if (state.dropped) continue
      const { topic, partition } = state
      this.#log.info('commits go on', { topic, partition, from: told.offset, offset: state.tracker.base })
    }
    for (const [state, at] of standing) {
      if (at.standsForMs < (this.#told.get(state)?.nextAtMs ?? WARN_AFTER_MS)) continue
      this.#told.set(state, { offset: at.offset, nextAtMs: 2 * at.standsForMs })
      this.#log.warn(`commits stand still: ${describeStandstill(at)}`, { ...at })
    }
  }
}

/** The standstill of a partition, when it has lasted long enough to be told. */
export function standstillOf(
  state: PartitionState,
  context: { readonly nowMs: number; readonly isRunning: (task: Task) => boolean },
): Standstill | undefined {
  const task = state.oldest
  const standsForMs = context.nowMs - state.standsSinceMs
  if (task === undefined || state.standsSinceMs === 0 || standsForMs < TELL_AFTER_MS) return undefined
  const { topic, partition } = state
  const isQueued = state.isQueued(task)
  return {
    ...{ topic, partition, offset: task.offset, key: keyText(task.key) },
    ...{ eventId: task.envelope.id, flowId: task.envelope.flowId, standsForMs },
    state: context.isRunning(task) ? 'handled' : isQueued ? 'queued' : 'settling',
    finishedAbove: state.tracker.finishedAbove,
    openBeside: state.open.size - 1,
    sameKeyWaiting: state.queuedBehind(task),
    takesNothing: state.limit ?? (state.paused ? 'room' : null),
  }
}

function keyText(key: Buffer | null): string | null {
  if (key === null) return null
  const text = key.toString('utf8')
  return text.length > LONGEST_KEY ? `${text.slice(0, LONGEST_KEY)}…` : text
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}

function ageText(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}
