/**
 * The path of one record through the stages: what the store knows decides whether it runs, is republished, waits for another owner
 * or is skipped. One handling of an id is alive in a process at a time; a second record of the same id waits for the first.
 */
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import type { Task } from '../consume/task.ts'
import { HandlingJournal } from '../journal/handling-journal.ts'
import { Cancellation } from '../ports/cancellation.ts'
import type { HandlingState } from '../ports/claim-store.ts'
import type { TopicPartition } from '../ports/broker.ts'
import { delay, settledWithin } from '../ports/clock.ts'
import { readHandover, type Handover } from '../retry/handover.ts'
import { Alive, type Presence } from './alive.ts'
import { Decider, MOST_DEATHS, WAIT, type Decision } from './decision.ts'
import type { HandlingDeps } from './deps.ts'
import { execute } from './execution.ts'
import type { BegunAttempt, ExecutionEnd, Run } from './run.ts'
import { handedTask } from './handed.ts'
import { JoinIntake } from './join-intake.ts'
import { Ownership } from './ownership.ts'
import { Settlement, type Settled } from './settlement.ts'
import { TogetherPath } from './together-path.ts'
import { generationOf, singleWork, type Work } from './work.ts'

/** Polling another owner's work: first and longest interval. */
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1_000
const ABSENT: HandlingState = { state: 'absent' }
/** Without dedup nothing is remembered. */
const NOT_KEPT = Promise.resolve({ accepted: true, current: ABSENT })

/** One per agent and process. */
export class Handling {
  readonly #deps: HandlingDeps
  readonly #settlement: Settlement
  readonly #decider: Decider
  readonly #joins: JoinIntake
  /** From the first look at the store until the input is finished. */
  readonly #alive = new Alive()
  readonly #together: TogetherPath
  /** Ends that only need their facts. */
  readonly #settling = new Set<Promise<void>>()
  readonly #runs = new Set<Run>()
  /** Runs between two attempts. */
  readonly #resting = new Set<Run>()
  readonly #leaving = new AbortController()

  constructor(deps: HandlingDeps) {
    this.#deps = deps
    this.#settlement = new Settlement(deps)
    this.#decider = new Decider(deps, (work) => this.#settlement.suspect(work))
    this.#joins = new JoinIntake(deps, this.#settlement)
    this.#together = new TogetherPath({
      deps,
      settlement: this.#settlement,
      isLeaving: () => this.#isLeaving,
      alone: (task, presence, begun) => this.#alone(singleWork(task), presence, begun),
      onError: (error) => this.#onError(error),
    })
  }

  /** Handlings whose outputs the broker refuses. */
  get blockedCount(): number {
    return this.#settlement.blockedCount
  }

  /** Lets go what waits in a partition behind dead letters that are forgotten. */
  passForgotten(at: TopicPartition): Promise<void> {
    return this.#settlement.passForgotten(at)
  }

  /** Records whose handlers have not answered yet. */
  get waitingCount(): number {
    return this.#runs.size
  }

  /** Treats records that start together; `free` is called once for each, when its lane may go on. Never throws. */
  run(tasks: readonly Task[], free: (task: Task) => void): void {
    if (tasks.every(({ home }) => this.#isKnown(home))) return this.#start(tasks, free)
    for (const group of Map.groupBy(tasks, (task) => task.home).values()) {
      const loaded = this.#learn(group).then(() => this.#start(group, free))
      loaded.catch((error: unknown) => {
        for (const task of group) free(task)
        this.#onError(error)
      })
    }
  }

  #isKnown(home: Task['home']): boolean {
    const { parking, deaths } = this.#deps
    return parking?.isLoaded(home) !== false && deaths?.tenure.isTaken(home) !== false
  }

  /** Asks once what waits in a partition, and whether the process before died; these are its first records. */
  async #learn(records: readonly Task[]): Promise<void> {
    const { parking, deaths } = this.#deps
    const first = records.reduce((low, task) => (task.offset < low.offset ? task : low))
    await Promise.all([parking?.load(first.home), deaths?.tenure.take(first)])
  }

  /** Treats records of retry topics, as {@link run}. `finish` finishes one of them. */
  runHanded(records: readonly Task[], free: (task: Task) => void, finish: (task: Task) => void): void {
    for (const record of records) void this.#runHanded(record, finish).finally(() => free(record))
  }

  async #runHanded(record: Task, finish: (task: Task) => void): Promise<void> {
    try {
      const handover = readHandover(record.headers)
      if (handover !== undefined) return await this.#runOne(handedTask(record, handover, finish), handover)
      const { topic, partition, offset } = record
      this.#deps.log.warn('a record that laban did not write is passed over', { topic, partition, offset })
      finish(record)
    } catch (error) {
      this.#onError(error)
    }
  }

  #start(tasks: readonly Task[], free: (task: Task) => void): void {
    const { agent, dedup, parking, deaths } = this.#deps
    const isPlain = !agent.isJoin && dedup
    const fresh: { task: Task; presence: Presence }[] = []
    for (const task of tasks) {
      const { id } = task.envelope
      const isUsual = parking?.mayWait(task) !== true && deaths?.tenure.isSuspect(task) !== true
      if (isPlain && isUsual && this.#alive.get(id) === undefined) fresh.push({ task, presence: this.#alive.enter(id) })
      else void this.#runOne(task).finally(() => free(task))
    }
    if (fresh.length > 0) void this.#together.run(fresh, free)
  }

  async #runOne(task: Task, handover?: Handover): Promise<void> {
    try {
      const work = this.#deps.agent.isJoin ? await this.#joins.take(task, handover) : singleWork(task, handover)
      if ('settling' in work) this.#watch(work.settling)
      else await this.#enter(work)
    } catch (error) {
      this.#onError(error)
    }
  }

  /** The process lost its lease: claimed work may be somebody else's now. What is still ours begins again. */
  loseLease(): void {
    for (const run of this.#runs) if (run.ownership.isClaimed) run.cancellation.cancel('lease-lost')
  }

  /**
   * The process is going to end: what waits for its next attempt, for another owner or for another record of its id is left at
   * once, and no handler starts any more. What runs goes on.
   */
  leave(): void {
    this.#leaving.abort()
    for (const run of this.#resting) run.cancellation.cancel('shutdown')
  }

  /** Aborts what still runs. */
  abort(): void {
    for (const run of this.#runs) run.cancellation.cancel('shutdown')
  }

  /** Resolves when every handling that was alive is settled. */
  async settled(): Promise<void> {
    while (this.#alive.size + this.#settling.size > 0) await Promise.all([this.#alive.settled(), ...this.#settling])
  }

  /** Lets one handling of an id be alive at a time, until its input is finished and its state is `done`. */
  async #enter(work: Work): Promise<void> {
    const id = work.ref.handlingId
    for (let other = this.#alive.get(id); other !== undefined; other = this.#alive.get(id)) {
      await settledWithin(other.ended(), { signal: this.#leaving.signal })
      if (this.#isLeaving) return
    }
    await this.#proceed(work, this.#alive.enter(id))
  }

  /** A handling that others began together and that needs a path of its own from here on. Never rejects. */
  async #alone(work: Work, presence: Presence, begun?: BegunAttempt): Promise<void> {
    try {
      await this.#proceed(work, presence, begun)
    } catch (error) {
      this.#onError(error)
    }
  }

  async #proceed(work: Work, presence: Presence, begun?: BegunAttempt): Promise<void> {
    try {
      const settled = await this.#process(work, begun)
      if (settled === undefined) this.#leave(work, presence)
      else
        void settled.settling.catch((error: unknown) => this.#onError(error)).finally(() => this.#leave(work, presence))
    } catch (error) {
      this.#leave(work, presence)
      throw error
    }
  }

  #leave({ ref, isJoin }: Work, presence: Presence): void {
    if (isJoin) this.#deps.admission.holdings.left(ref.flowId)
    presence.leave()
  }

  /** What has just been read may be older than this process's lease. */
  get #isStale(): boolean {
    return this.#deps.dedup && this.#deps.leases.isStale
  }

  get #isLeaving(): boolean {
    return this.#leaving.signal.aborted
  }

  /** Undefined: the work was left to another instance or to a later delivery. */
  async #process(work: Work, begun?: BegunAttempt): Promise<Settled | undefined> {
    if (begun !== undefined) {
      const end = await this.#runOnce(work, undefined, begun)
      if (end !== 'again') return end
    }
    for (let waitMs = FIRST_WAIT_MS; ;) {
      if (work.task.cancellation.reason !== undefined || work.task.home.dropped) return undefined
      const state = this.#deps.dedup ? await this.#deps.admission.read(work.ref) : ABSENT
      if (this.#isLeaving) return undefined
      const decision = this.#isStale ? WAIT : await this.#decider.decide(work, state)
      if (decision.kind !== 'wait') {
        const end = await this.#follow(work, state, decision)
        if (end !== 'again') return end
        continue
      }
      await delay(this.#deps.clock, waitMs * (0.5 + this.#deps.clock.random()), this.#leaving.signal)
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
    }
  }

  async #follow(
    work: Work,
    state: HandlingState,
    decision: Exclude<Decision, { kind: 'wait' }>,
  ): Promise<Settled | 'again' | undefined> {
    switch (decision.kind) {
      case 'again':
        return 'again'
      case 'release':
        return this.#settlement.release(work)
      case 'skip':
        return this.#settlement.skip(work, state)
      case 'republish':
        return this.#settlement.republish(work, decision.state)
      case 'finish-burial':
        await this.#settlement.finishBurial(work, decision.generation, decision.note)
        return 'again'
      case 'quarantine':
        return (await this.#quarantine(work, decision)) ?? 'again'
      case 'run':
        return decision.claimedAttempt === undefined
          ? this.#runFirst(work)
          : this.#runOnce(work, decision.claimedAttempt)
    }
  }

  /** Nothing is known of it yet. */
  async #runFirst(work: Work): Promise<Settled | 'again' | undefined> {
    if (!(await this.#settlement.admits(work))) return this.#settlement.park(work)
    if (this.#deps.deaths?.tenure.isSuspect(work.task) !== true) return this.#runOnce(work, undefined)
    const decision = await this.#decider.claimSuspect(work)
    return decision.kind === 'run' ? this.#runOnce(work, decision.claimedAttempt) : 'again'
  }

  /** It has killed every process that ran it. */
  #quarantine(
    work: Work,
    { claimedAttempt, attempts, lastOwner }: Extract<Decision, { kind: 'quarantine' }>,
  ): Promise<Settled | undefined> {
    const { admission, instance, agent, clock } = this.#deps
    const cancellation = new Cancellation()
    const ownership = new Ownership({ admission, ref: work.ref, owner: instance, cancellation }, claimedAttempt)
    const details = { agent: agent.name, deaths: MOST_DEATHS, instance: lastOwner }
    const error = new LabanError('LABAN_RECORD_QUARANTINED', details)
    return this.#settlement.bury(work, ownership, {
      kind: 'dead',
      error,
      attempt: Math.max(attempts, MOST_DEATHS),
      startedAtMs: clock.nowMs(),
    })
  }

  async #runOnce(
    work: Work,
    claimedAttempt: number | undefined,
    begun?: BegunAttempt,
  ): Promise<Settled | 'again' | undefined> {
    const { admission, instance, clock, agent } = this.#deps
    const cancellation = begun?.cancellation ?? new Cancellation()
    const stopListening = work.task.cancellation.onCancel((reason) => cancellation.cancel(reason))
    const held = { admission, ref: work.ref, owner: instance, generation: generationOf(work), cancellation }
    const ownership = new Ownership(held, claimedAttempt)
    const rest = (waitMs: number): Promise<void> => this.#rest(run, waitMs)
    const journal = this.#journalOf(work, ownership, cancellation)
    const run: Run = { work, ownership, journal, cancellation, rest, ...(begun === undefined ? {} : { begun }) }
    this.#runs.add(run)
    this.#deps.onWaiting?.()
    try {
      const end = await execute(this.#deps, run)
      if (end.kind !== 'cancelled') return (await this.#settle(run, end)) ?? 'again'
      // The next run, here or elsewhere, must not overlap with a handler that is still on its way out.
      await settledWithin(end.settled, { clock, withinMs: agent.abortGraceMs, signal: this.#deps.signal })
      if (end.reason === 'superseded') return 'again'
      // After a lost lease too: the next look may find that the record is not ours any more, and a claim of a living process that
      // does not work on it would make everybody wait for ever.
      await ownership.release()
      return end.reason === 'lease-lost' ? 'again' : undefined
    } finally {
      this.#runs.delete(run)
      this.#deps.deaths?.trials.leave(work.ref.handlingId)
      stopListening()
    }
  }

  /** Its steps are recorded under the claim, which the first of them takes. */
  #journalOf({ ref, handover }: Work, ownership: Ownership, cancellation: Cancellation): HandlingJournal {
    const { admission, agent, instance, dedup, steps } = this.#deps
    return new HandlingJournal({
      ...steps,
      agent: agent.name,
      ref,
      claim: async () => {
        if (dedup && !(await ownership.claim())) return undefined
        // Who slept for longer than the store remembers a hand-over has a journal all the same.
        const isFirst = ownership.isFirst && handover === undefined
        return { owner: instance, attempt: ownership.attempt, isFirst }
      },
      read: (of) => admission.readJournal(of),
      write: dedup ? (request) => admission.writeJournal(request) : () => NOT_KEPT,
      append: (records) => this.#settlement.hand(records),
      onLost: () => cancellation.cancel('superseded'),
    })
  }

  async #settle(
    { work, ownership, journal }: Run,
    end: Exclude<ExecutionEnd, { kind: 'cancelled' }>,
  ): Promise<Settled | undefined> {
    switch (end.kind) {
      case 'completed':
        return this.#settlement.complete(work, ownership, journal, end)
      case 'rejected':
        return this.#settlement.reject(work, ownership, end)
      case 'dead':
        return this.#settlement.bury(work, ownership, end)
      case 'postponed':
        return this.#settlement.postpone(work, ownership, end)
      case 'suspended':
        return this.#settlement.suspend(work, ownership, end)
    }
  }

  async #rest(run: Run, waitMs: number): Promise<void> {
    if (this.#isLeaving) return run.cancellation.cancel('shutdown')
    this.#resting.add(run)
    await delay(this.#deps.clock, waitMs, run.cancellation.signal)
    this.#resting.delete(run)
  }

  #watch(settling: Promise<void>): void {
    const watched = settling
      .catch((error: unknown) => this.#onError(error))
      .finally(() => this.#settling.delete(watched))
    this.#settling.add(watched)
  }

  /** At shutdown work is left where it is; a newer stored format or a broken invariant stops the process. */
  #onError(error: unknown): void {
    if (isLabanError(error) && error.errorClass === 'control') return
    this.#deps.onBug(error)
  }
}
