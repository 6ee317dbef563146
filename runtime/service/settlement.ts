/**
 * What follows once a handling's end is decided, each step after the acknowledgement of the one before:
 * computed -> outputs -> fact -> input finished -> done. The lane may go on after the outputs.
 */
import { retryTierTopic } from '../../contracts/agent-topics.ts'
import { isLabanError, type LabanError } from '../../contracts/errors.ts'
import type { Fact, FactOutput, FactStep } from '../../contracts/fact.ts'
import { decodeRecords, encodeRecords, type RecordToStore, type StoredRecord } from '../../contracts/record-format.ts'
import { deadLetterMark } from '../handle/dead-letter.ts'
import type { Output } from '../handle/output-collector.ts'
import type { HandlingJournal } from '../journal/handling-journal.ts'
import { computedRecord } from '../journal/journal-records.ts'
import type { Appended, OutgoingRecord, TopicPartition } from '../ports/broker.ts'
import type { HandlingState } from '../ports/claim-store.ts'
import { handoverRecord } from '../retry/handover.ts'
import { timerId, timerRecord } from '../timers/timer-record.ts'
import { Burial } from './burial.ts'
import type { HandlingDeps } from './deps.ts'
import type { ExecutionEnd, PostponedEnd, SuspendedEnd } from './run.ts'
import { factOf, type FactParts } from './fact-of.ts'
import { memberRecord } from '../admit/member-format.ts'
import type { Ownership } from './ownership.ts'
import { Outlet, unpublishable } from './outlet.ts'
import { outputIdentity } from './output-identity.ts'
import { Succession } from './succession.ts'
import type { Work } from './work.ts'

/** `settling` resolves when the input is finished and the state is `done`. */
export interface Settled {
  readonly settling: Promise<void>
}

const NO_OUTPUTS = encodeRecords([])

/** See the file's head. */
export class Settlement {
  readonly #deps: HandlingDeps
  readonly #succession: Succession
  readonly #burial: Burial
  readonly #outlet: Outlet

  constructor(deps: HandlingDeps) {
    this.#deps = deps
    this.#outlet = new Outlet(deps)
    const append = (records: readonly OutgoingRecord[]): Promise<readonly Appended[]> => this.#outlet.append(records)
    const writeFact = (work: Work, fact: FactParts): Promise<void> => this.writeFacts([factOf(deps, work, fact)])
    this.#succession = new Succession(deps, append)
    const keepOutputs = (work: Work, outputs: Buffer): Promise<void> => this.keepOutputs(work, outputs)
    this.#burial = new Burial(deps, this.#succession, { append, keepOutputs, writeFact })
  }

  /** See {@link Succession.admits}. */
  admits(work: Work): Promise<boolean> {
    return this.#succession.admits(work)
  }

  /** See {@link Succession.suspect}. */
  suspect(work: Work): void {
    this.#succession.suspect(work)
  }

  /** Lets go what waits in this partition behind dead letters that are forgotten. */
  passForgotten(at: TopicPartition): Promise<void> {
    return this.#succession.passForgotten(at)
  }

  /** Handlings whose computed outputs the broker refuses. */
  get blockedCount(): number {
    return this.#outlet.blockedCount
  }

  /** Records and publishes the outputs. Undefined: another owner's result won, and these outputs are dropped. */
  async complete(
    work: Work,
    ownership: Ownership,
    journal: Pick<HandlingJournal, 'isUsed' | 'hasDurable'>,
    end: Extract<ExecutionEnd, { kind: 'completed' }>,
  ): Promise<Settled | undefined> {
    const { outputs, span } = end
    const records = outputs.map((output) => output.record)
    if (!(await this.#compute(work, ownership, records, journal.hasDurable))) {
      for (const output of outputs) output.send.end()
      span.end('superseded')
      return undefined
    }
    const appended = await this.#outlet.publish(records)
    if (isLabanError(appended)) {
      for (const output of outputs) output.send.end()
      span.end('failed', appended)
      const result = { computedBy: this.#deps.instance, attempt: ownership.attempt, outputs: encodeRecords(records) }
      return this.#giveUp(work, result, { ...end, refusal: appended })
    }
    if (work.handover === undefined) this.#deps.onEnded?.(false)
    outputs.forEach((output, index) => output.send.end(appended[index]))
    span.end('completed')
    const fact: FactParts = {
      outcome: 'completed',
      attempt: end.attempt,
      startedAtMs: end.startedAtMs,
      traceId: span.traceId,
      spanId: span.spanId,
      outputs: outputs.map((output, index) => factOutput(output, appended[index])),
      steps: end.steps,
    }
    return { settling: this.#close(work, fact, journal.isUsed) }
  }

  /** The agent's `accepts` said no: a normal end without outputs. */
  async reject(
    work: Work,
    ownership: Ownership,
    end: Extract<ExecutionEnd, { kind: 'rejected' }>,
  ): Promise<Settled | undefined> {
    if (!(await this.#compute(work, ownership, [rejection(end.topic)]))) return undefined
    if (work.handover === undefined) this.#deps.onEnded?.(false)
    return this.#rejected(work, end.topic, end.startedAtMs)
  }

  #rejected(work: Work, topic: string, startedAtMs: number): Settled {
    const detail = { topic, accepts: this.#deps.agent.accepts[topic] ?? '' }
    return { settling: this.#close(work, { outcome: 'rejected', startedAtMs, detail }) }
  }

  /** Publishes what an earlier owner computed: the recorded bytes under the recorded ids. */
  async republish(work: Work, state: Extract<HandlingState, { state: 'computed' }>): Promise<Settled | undefined> {
    const startedAtMs = this.#deps.clock.nowMs()
    const records = decodeRecords(state.outputs)
    const rejectedTopic = rejectedIn(records)
    if (rejectedTopic !== undefined) return this.#rejected(work, rejectedTopic, startedAtMs)
    const appended = await this.#outlet.publish(records)
    if (isLabanError(appended)) {
      const { owner, attempt, outputs } = state
      return this.#giveUp(work, { computedBy: owner, attempt, outputs }, { attempt, startedAtMs, refusal: appended })
    }
    const outputs = records.map((record, index) => {
      const place = appended[index] ?? UNKNOWN_PLACE
      return {
        ...outputIdentity(record, work.ref.flowId),
        topic: record.topic,
        partition: place.partition,
        offset: place.offset,
      }
    })
    const detail = { republished: 'true' }
    return {
      settling: this.#close(work, { outcome: 'completed', attempt: state.attempt, startedAtMs, outputs, detail }, true),
    }
  }

  /** See {@link Burial.bury}. */
  bury(work: Work, ownership: Ownership, end: Extract<ExecutionEnd, { kind: 'dead' }>): Promise<Settled | undefined> {
    return this.#burial.bury(work, ownership, end)
  }

  /** See {@link Burial.finishBurial}. */
  finishBurial(work: Work, generation: number, note: Buffer): Promise<void> {
    return this.#burial.finishBurial(work, generation, note)
  }

  /** The record for the retry topic, `handed`, then the fact. Undefined: another owner has the handling. */
  async postpone(work: Work, ownership: Ownership, end: PostponedEnd): Promise<Settled | undefined> {
    const { agent, clock, admission, dedup } = this.#deps
    const { attempt, tries, tier, delayMs, error, startedAtMs, steps, span } = end
    if (dedup && !(await ownership.claim())) return undefined
    const origin = work.handover?.origin ?? work.task
    const generation = work.handover?.generation ?? 0
    const dueAtMs = clock.nowMs() + delayMs
    const handover = { kind: 'retry', origin, attempt, tries, tier, generation, dueAtMs } as const
    const record = handoverRecord(retryTierTopic(agent.name, delayMs), work.task, handover)
    await this.#succession.block(work, [record])
    if (work.handover === undefined) this.#deps.onEnded?.(true)
    if (dedup) {
      const answer = await admission.hand({ ...work.ref, from: ownership.from, kind: 'retry', attempt })
      if (!answer.accepted) return undefined
    }
    const detail = { retryInMs: String(delayMs), retryTopic: record.topic, dueAt: new Date(dueAtMs).toISOString() }
    const ids = { traceId: span.traceId, spanId: span.spanId }
    const fact: FactParts = { outcome: 'retried', attempt, startedAtMs, error, steps, detail, ...ids }
    return { settling: this.#writeFact(work, fact) }
  }

  /** The timer that holds the work, `handed`, then the fact. Undefined: another owner has the handling. */
  async suspend(work: Work, ownership: Ownership, end: SuspendedEnd): Promise<Settled | undefined> {
    const { agent, instance, admission, dedup } = this.#deps
    const { slept, attempt, tries, startedAtMs, steps, span } = end
    if (dedup && !(await ownership.claim())) return undefined
    const { origin = work.task, tier = 0, generation = 0 } = work.handover ?? {}
    const what = { kind: 'suspended', origin, attempt, tries, tier, generation } as const
    const handover = { ...what, dueAtMs: slept.dueAtMs, slept: slept.name }
    const id = timerId(agent.name, work.ref.handlingId, `${instance} ${attempt}`)
    await this.#succession.block(work, [timerRecord(agent.name, id, memberRecord(work.task), handover)])
    if (dedup) {
      const answer = await admission.hand({ ...work.ref, from: ownership.from, kind: 'suspended', attempt })
      if (!answer.accepted) return undefined
    }
    const detail = { sleep: slept.name, until: new Date(slept.dueAtMs).toISOString() }
    const ids = { traceId: span.traceId, spanId: span.spanId }
    return { settling: this.#writeFact(work, { outcome: 'suspended', attempt, startedAtMs, steps, detail, ...ids }) }
  }

  /** An event of its key has failed and comes first: it waits on the log. */
  async park(work: Work): Promise<Settled> {
    await this.#succession.park(work)
    if (this.#deps.dedup) await this.#deps.admission.hand({ ...work.ref, from: 'absent', kind: 'parked', attempt: 0 })
    const detail = { parked: 'behind a failed event of its key' }
    return { settling: this.#writeFact(work, { outcome: 'suspended', startedAtMs: this.#deps.clock.nowMs(), detail }) }
  }

  /** Given up by a person: what waits behind it may go. */
  release(work: Work): Settled {
    const detail = { found: 'dead', released: 'true' }
    return { settling: this.#pass(work, { outcome: 'duplicate', startedAtMs: this.#deps.clock.nowMs(), detail }) }
  }

  /** The event was handled before: a fact, and the input is finished. */
  skip(work: Work, state: HandlingState): Settled {
    const detail = { found: state.state }
    const fact: FactParts = { outcome: 'duplicate', startedAtMs: this.#deps.clock.nowMs(), detail }
    if (state.state === 'done') return { settling: this.#pass(work, fact) }
    if (work.handover === undefined) this.#succession.suspect(work)
    return { settling: this.#writeFact(work, fact) }
  }

  /** Any other end that only needs its fact. */
  note(work: Work, outcome: 'waiting' | 'late' | 'duplicate', detail: Readonly<Record<string, string>> = {}): Settled {
    return { settling: this.#writeFact(work, { outcome, startedAtMs: this.#deps.clock.nowMs(), detail }) }
  }

  /** Appends records that must not be lost, whatever the broker says. */
  async hand(records: readonly OutgoingRecord[]): Promise<void> {
    await this.#outlet.append(records)
  }

  /** Appends the outputs of several handlings in one send. Undefined: the broker refuses one of them, and each is to go by itself. */
  async publishTogether(
    outputs: readonly (readonly Output[])[],
  ): Promise<readonly (readonly Appended[])[] | undefined> {
    try {
      const appended = await this.#deps.producer.append(recordsOf(outputs.flat()))
      let next = 0
      return outputs.map((own) => appended.slice(next, (next += own.length)))
    } catch (error) {
      if (!isLabanError(error) || error.errorClass !== 'terminal') throw error
      return undefined
    }
  }

  /** Appends the outputs of one handling; the refusal when the broker keeps to it. */
  publishAlone(outputs: readonly Output[]): Promise<readonly Appended[] | LabanError> {
    return this.#outlet.publish(recordsOf(outputs))
  }

  /** What this process has computed in a first attempt cannot be published. Undefined: somebody else has done it meanwhile. */
  giveUpAlone(
    work: Work,
    outputs: readonly Output[],
    end: { readonly attempt: number; readonly startedAtMs: number; readonly refusal: LabanError },
  ): Promise<Settled | undefined> {
    const result = { computedBy: this.#deps.instance, attempt: 1, outputs: encodeRecords(recordsOf(outputs)) }
    return this.#giveUp(work, result, end)
  }

  #giveUp(
    work: Work,
    result: { readonly computedBy: string; readonly attempt: number; readonly outputs: Buffer },
    end: {
      readonly attempt: number
      readonly startedAtMs: number
      readonly steps?: readonly FactStep[]
      readonly refusal: LabanError
    },
  ): Promise<Settled | undefined> {
    const { attempt, startedAtMs, steps, refusal } = end
    const error = unpublishable(this.#deps.agent.name, decodeRecords(result.outputs), refusal)
    const dead = { kind: 'dead', error, attempt, startedAtMs, ...(steps === undefined ? {} : { steps }) } as const
    return this.#burial.buryResult(work, result, dead)
  }

  async #compute(
    work: Work,
    ownership: Ownership,
    records: readonly RecordToStore[],
    hasDurableSteps = false,
  ): Promise<boolean> {
    const { admission, instance, dedup } = this.#deps
    if (!dedup) return true
    await ownership.settled()
    const { topic, partition, offset } = work.task
    const outputs = records.length === 0 ? NO_OUTPUTS : encodeRecords(records)
    const answer = await admission.compute({
      ...work.ref,
      owner: instance,
      attempt: ownership.attempt,
      from: ownership.from,
      position: { topic, partition, offset },
      outputs,
    })
    // Several outputs are not appended atomically; and what was durable before must stay so when the store forgets it.
    if (answer.accepted && (records.length > 1 || hasDurableSteps)) await this.keepOutputs(work, outputs)
    return answer.accepted
  }

  /** Puts outputs into the journal. What is too large for it stands in the store alone: that must not stop it from being published. */
  async keepOutputs({ ref }: Work, outputs: Buffer): Promise<void> {
    const { agent, log } = this.#deps
    const kept = await this.#outlet.appendIfFits(computedRecord(agent.name, ref, outputs))
    if (isLabanError(kept)) log.warn('outputs too large for the journal', { ...ref, problem: kept.message })
  }

  async #close(work: Work, fact: FactParts, hasJournal = false): Promise<void> {
    const { agent } = this.#deps
    const generation = work.handover?.generation ?? 0
    if (generation > 0) {
      const marking = { agent: agent.name, generation, mark: 'resolved' } as const
      const marks = work.parts.map(({ key, envelope }) => deadLetterMark(key, { ...marking, eventId: envelope.id }))
      await this.#outlet.append(marks)
    }
    await this.#pass(work, fact)
    if (this.#deps.dedup) await this.#deps.admission.finish({ ...work.ref, hasJournal })
  }

  /** Writes facts, however long the broker refuses them: an input without its fact is not finished. */
  async writeFacts(facts: readonly Fact[]): Promise<void> {
    await this.#outlet.writeFacts(facts)
  }

  /** The next event of its key has its turn before this one counts as finished. */
  async #pass(work: Work, fact: FactParts): Promise<void> {
    await this.writeFacts([factOf(this.#deps, work, fact)])
    await this.#succession.pass(work)
    this.#deps.finish(work.task)
  }

  async #writeFact(work: Work, fact: FactParts): Promise<void> {
    await this.writeFacts([factOf(this.#deps, work, fact)])
    this.#deps.finish(work.task)
  }
}

function recordsOf(outputs: readonly Output[]): readonly RecordToStore[] {
  return outputs.map((output) => output.record)
}

/** Stands in `computed` for a handling that `accepts` refused: whoever finds it must not take it for one that said nothing. */
const REJECTED_HEADER = 'laban-rejected'

function rejection(topic: string): StoredRecord {
  return { topic: '', key: null, value: null, headers: { [REJECTED_HEADER]: topic } }
}

/** The topic that `accepts` refused; undefined when the records are outputs. */
function rejectedIn([first]: readonly StoredRecord[]): string | undefined {
  const topic = first?.topic === '' ? first.headers[REJECTED_HEADER] : undefined
  return topic?.toString()
}

const UNKNOWN_PLACE = { partition: -1, offset: -1 }

/** An output as its fact names it. */
export function factOutput(output: Output, place: Appended | undefined): FactOutput {
  const { partition, offset } = place ?? UNKNOWN_PLACE
  return { eventId: output.eventId, topic: output.record.topic, partition, offset, hash: output.hash, key: output.key }
}
