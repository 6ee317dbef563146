/**
 * Gathers single requests into one batched call: while a call is under way the next batch fills, so an idle store answers at
 * once and a busy one gets large batches. A store that does not answer is asked again until it does: requests wait, none fails.
 */
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import { delay, settledWithin, type Clock } from '../ports/clock.ts'

export interface CoalescerOptions<Request, Answer> {
  /** One round trip for the whole batch; answers in the order of the requests. Must be safe to repeat. */
  readonly call: (requests: readonly Request[]) => Promise<readonly Answer[]>
  readonly clock: Clock
  readonly maxBatch: number
  /** Told once when the store stops answering, and once when it answers again. */
  readonly onAvailability: (isAvailable: boolean, error?: unknown) => void
  /** Aborted at the end of the process: waiting requests reject with LABAN_SHUTDOWN. */
  readonly signal: AbortSignal
}

/** Requests that were asked together and are answered together. */
interface Waiting<Request, Answer> {
  readonly requests: readonly Request[]
  readonly resolve: (answers: readonly Answer[]) => void
  readonly reject: (error: unknown) => void
}

const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 2_000

/** See the file's head. */
export class Coalescer<Request, Answer> {
  readonly #options: CoalescerOptions<Request, Answer>
  #waiting: Waiting<Request, Answer>[] = []
  #isCalling = false

  constructor(options: CoalescerOptions<Request, Answer>) {
    this.#options = options
  }

  /** The answer to one request. @throws LABAN_SHUTDOWN, or a terminal error of the store */
  async ask(request: Request): Promise<Answer> {
    return (await this.askAll([request]))[0] as Answer
  }

  /** The answers to several requests, in their order. */
  askAll(requests: readonly Request[]): Promise<readonly Answer[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ requests, resolve, reject })
      if (this.#isCalling) return
      this.#isCalling = true
      // A microtask later, so that everything asked for in this turn shares the first batch.
      queueMicrotask(() => void this.#drain())
    })
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#settle(this.#takeBatch())
    }
    this.#isCalling = false
  }

  /** Groups stay whole; one that is larger than a batch is a batch of its own. */
  #takeBatch(): readonly Waiting<Request, Answer>[] {
    let requests = 0
    let groups = 0
    for (const { requests: group } of this.#waiting) {
      if (groups > 0 && requests + group.length > this.#options.maxBatch) break
      requests += group.length
      groups++
    }
    return this.#waiting.splice(0, groups)
  }

  async #settle(batch: readonly Waiting<Request, Answer>[]): Promise<void> {
    try {
      const answers = await this.#callUntilAnswered(batch.flatMap((entry) => entry.requests))
      let next = 0
      for (const { requests, resolve } of batch) resolve(answers.slice(next, (next += requests.length)))
    } catch (error) {
      for (const entry of batch) entry.reject(error)
    }
  }

  /** A store that never answers must not hold up the end of the process. */
  async #untilAborted<T>(answer: Promise<T>): Promise<T> {
    const { signal } = this.#options
    await settledWithin(answer, { signal })
    if (signal.aborted) throw new LabanError('LABAN_SHUTDOWN')
    return answer
  }

  async #callUntilAnswered(requests: readonly Request[]): Promise<readonly Answer[]> {
    const { call, clock, onAvailability, signal } = this.#options
    for (let waitMs = FIRST_RETRY_MS, failed = false; ; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
      if (signal.aborted) throw new LabanError('LABAN_SHUTDOWN')
      try {
        const answers = await this.#untilAborted(call(requests))
        if (failed) onAvailability(true)
        return answers
      } catch (error) {
        if (!isLabanError(error) || error.errorClass !== 'retry') throw error
        if (!failed) onAvailability(false, error)
        failed = true
        await delay(clock, waitMs / 2 + (waitMs / 2) * clock.random(), signal)
      }
    }
  }
}
