/**
 * The short way: records whose handlers end at once go through the stages together, one call of the store or the broker for all of
 * them. Order and rules are those of the settlement; whatever does not go as it mostly does leaves for a path of its own.
 */
import { isLabanError, type LabanError } from '../../contracts/errors.ts'
import { encodeRecords } from '../../contracts/record-format.ts'
import type { Task } from '../consume/task.ts'
import type { Output } from '../handle/output-collector.ts'
import type { Appended } from '../ports/broker.ts'
import { Cancellation } from '../ports/cancellation.ts'
import { delay } from '../ports/clock.ts'
import type { Presence } from './alive.ts'
import type { HandlingDeps } from './deps.ts'
import { beginAttempt } from './begin-attempt.ts'
import { refusedTopic } from './execution.ts'
import type { BegunAttempt } from './run.ts'
import { factOf } from './fact-of.ts'
import { factOutput, type Settlement } from './settlement.ts'
import { singleWork, type Work } from './work.ts'

/** A record on the short way. */
export interface Fresh {
  readonly task: Task
  readonly presence: Presence
}

export interface TogetherOptions {
  readonly deps: HandlingDeps
  readonly settlement: Settlement
  readonly isLeaving: () => boolean
  /** The path of one handling by itself; settles when its lane may go on, never rejects. */
  readonly alone: (task: Task, presence: Presence, begun?: BegunAttempt) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** A handler that has ended well. */
interface Ended extends Fresh {
  readonly work: Work
  readonly begun: BegunAttempt
  readonly outputs: readonly Output[]
}

/** Handlers run for so long before the event loop gets a turn. */
const TURN_MS = 10
/** Handlings that are computed and published in one go: large enough to share the round trips, small enough for a short latency. */
const MAX_TOGETHER = 500
const NO_OUTPUTS = encodeRecords([])
/** Asked only by an agent that accepts some values and not others. */
const NO_TOPICS: ReadonlyMap<string, unknown> = new Map()

/** See the file's head. One per agent and process. */
export class TogetherPath {
  readonly #options: TogetherOptions

  constructor(options: TogetherOptions) {
    this.#options = options
  }

  /** Takes records whose ids have just entered. Never rejects. */
  async run(fresh: readonly Fresh[], free: (task: Task) => void): Promise<void> {
    try {
      const states = await this.#options.deps.admission.read.all(fresh.map(({ task }) => refOf(task)))
      const absent: Fresh[] = []
      fresh.forEach((entry, index) => {
        if (states[index]?.state === 'absent') absent.push(entry)
        else this.#leaveAlone(entry, free)
      })
      await this.#handle(absent, free)
    } catch (error) {
      this.#abandon(fresh, free, error)
    }
  }

  /** Runs the handlers; those that have ended go on whenever there are enough of them. */
  async #handle(entries: readonly Fresh[], free: (task: Task) => void): Promise<void> {
    const { clock } = this.#options.deps
    let ended: Ended[] = []
    let turnEndsAtMs = clock.nowMs() + TURN_MS
    for (const entry of entries) {
      const outcome = this.#begin(entry, free)
      if (outcome !== undefined) ended.push(outcome)
      if (ended.length >= MAX_TOGETHER) {
        void this.#complete(ended, free)
        ended = []
      }
      if (clock.nowMs() >= turnEndsAtMs) {
        await delay(clock, 0)
        turnEndsAtMs = clock.nowMs() + TURN_MS
      }
    }
    if (ended.length > 0) await this.#complete(ended, free)
  }

  /** Calls the handler. Undefined: the record goes a path of its own, or is left to a later delivery. */
  #begin(entry: Fresh, free: (task: Task) => void): Ended | undefined {
    const { deps, isLeaving } = this.#options
    const { task, presence } = entry
    if (isLeaving() || task.home.dropped || task.cancellation.reason !== undefined) {
      presence.leave()
      free(task)
      return undefined
    }
    // After a standstill others may have done it since it was read.
    if (deps.leases.isStale) return this.#leaveAlone(entry, free)
    const value = this.#decode(task)
    if (value === undefined) return this.#leaveAlone(entry, free)
    const work = singleWork(task)
    const begun = beginAttempt(deps, { work, cancellation: new Cancellation() }, value, 1)
    if (begun.result instanceof Promise || begun.result.kind !== 'succeeded')
      return this.#leaveAlone(entry, free, begun)
    return { task, presence, work, begun, outputs: begun.result.outputs }
  }

  /** Undefined: a schema to load, a record that cannot be read, or one that the agent does not accept. */
  #decode(task: Task): { event: unknown; byTopic: ReadonlyMap<string, unknown> } | undefined {
    const { deps } = this.#options
    try {
      const decoded = deps.codec.decode(task.topic, task.value, task)
      if (!('value' in decoded)) return undefined
      if (deps.accepts.size === 0) return { event: decoded.value, byTopic: NO_TOPICS }
      const value = { event: decoded.value, byTopic: new Map([[task.topic, decoded.value]]) }
      return refusedTopic(deps, value) === undefined ? value : undefined
    } catch (error) {
      if (isLabanError(error) && error.errorClass === 'terminal') return undefined
      throw error
    }
  }

  /** computed -> outputs -> lanes free -> facts -> inputs finished -> done, each for all of them. */
  async #complete(ended: readonly Ended[], free: (task: Task) => void): Promise<void> {
    const left = new Set(ended)
    try {
      const won = await this.#compute(ended, left, free)
      if (won.length === 0) return
      const appended = await this.#options.settlement.publishTogether(won.map(({ outputs }) => outputs))
      if (appended !== undefined) return await this.#conclude(won, appended, left, free)
      for (const entry of won) {
        left.delete(entry)
        void this.#publishAlone(entry, free)
      }
    } catch (error) {
      this.#abandon([...left], free, error)
    }
  }

  /** What the broker refuses keeps its own lane waiting, and nobody else's. */
  async #publishAlone(entry: Ended, free: (task: Task) => void): Promise<void> {
    const left = new Set([entry])
    try {
      const appended = await this.#options.settlement.publishAlone(entry.outputs)
      if (isLabanError(appended)) return await this.#giveUp(entry, appended, free)
      await this.#conclude([entry], [appended], left, free)
    } catch (error) {
      this.#abandon([...left], free, error)
    }
  }

  /** The broker keeps to its refusal. */
  async #giveUp(entry: Ended, refusal: LabanError, free: (task: Task) => void): Promise<void> {
    const { task, presence, work, begun, outputs } = entry
    for (const output of outputs) output.send.end()
    begun.span.end('failed', refusal)
    const { attempt, startedAtMs } = begun
    const buried = await this.#options.settlement.giveUpAlone(work, outputs, { attempt, startedAtMs, refusal })
    if (buried === undefined) return this.#leaveAlone(entry, free)
    free(task)
    await buried.settling
    presence.leave()
  }

  /** What follows the acknowledgement of the outputs. */
  async #conclude(
    won: readonly Ended[],
    appended: readonly (readonly Appended[])[],
    left: Set<Ended>,
    free: (task: Task) => void,
  ): Promise<void> {
    this.#options.deps.onEnded?.(false, won.length)
    for (const { task } of won) free(task)
    await this.#writeFacts(won, appended)
    for (const { task } of won) this.#options.deps.finish(task)
    await this.#options.deps.admission.finish.all(won.map(({ work }) => work.ref))
    for (const entry of won) {
      left.delete(entry)
      entry.presence.leave()
    }
  }

  /** Those whose result counts. Who lost goes by the winner's, on a path of its own. */
  async #compute(ended: readonly Ended[], left: Set<Ended>, free: (task: Task) => void): Promise<readonly Ended[]> {
    const { admission, instance } = this.#options.deps
    const results = ended.map(({ outputs }) =>
      outputs.length === 0 ? NO_OUTPUTS : encodeRecords(outputs.map((output) => output.record)),
    )
    const answers = await admission.compute.all(
      ended.map(({ task, work }, index) => ({
        flowId: work.ref.flowId,
        handlingId: work.ref.handlingId,
        owner: instance,
        attempt: 1,
        from: 'absent' as const,
        position: { topic: task.topic, partition: task.partition, offset: task.offset },
        outputs: results[index] ?? NO_OUTPUTS,
      })),
    )
    const won: Ended[] = []
    // Several outputs are not appended atomically.
    const kept: { readonly work: Work; readonly bytes: Buffer }[] = []
    ended.forEach((entry, index) => {
      if (answers[index]?.accepted === true) {
        won.push(entry)
        if (entry.outputs.length > 1) kept.push({ work: entry.work, bytes: results[index] ?? NO_OUTPUTS })
        return
      }
      for (const output of entry.outputs) output.send.end()
      entry.begun.span.end('superseded')
      left.delete(entry)
      this.#leaveAlone(entry, free)
    })
    await Promise.all(kept.map(({ work, bytes }) => this.#options.settlement.keepOutputs(work, bytes)))
    return won
  }

  async #writeFacts(won: readonly Ended[], appended: readonly (readonly Appended[])[]): Promise<void> {
    const { deps } = this.#options
    const facts = won.map(({ work, begun, outputs }, index) => {
      const places = appended[index] ?? []
      outputs.forEach((output, at) => output.send.end(places[at]))
      begun.span.end('completed')
      const { attempt, startedAtMs, span } = begun
      const parts = { attempt, startedAtMs, traceId: span.traceId, spanId: span.spanId }
      return factOf(deps, work, {
        outcome: 'completed',
        ...parts,
        outputs: outputs.map((output, at) => factOutput(output, places[at])),
      })
    })
    await this.#options.settlement.writeFacts(facts)
  }

  #leaveAlone({ task, presence }: Fresh, free: (task: Task) => void, begun?: BegunAttempt): undefined {
    void this.#options.alone(task, presence, begun).finally(() => free(task))
    return undefined
  }

  /** At shutdown the work is left where it is; anything else is told. */
  #abandon(entries: readonly Fresh[], free: (task: Task) => void, error: unknown): void {
    for (const { task, presence } of entries) {
      presence.leave()
      free(task)
    }
    this.#options.onError(error)
  }
}

function refOf(task: Task): { flowId: string; handlingId: string } {
  return { flowId: task.envelope.flowId, handlingId: task.envelope.id }
}
