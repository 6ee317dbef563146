/**
 * The way to the log for what must not be lost: a broker that refuses is asked again. The rule it keeps: a refusal holds up its own
 * record only, is told, and is the answer where somebody can deal with it.
 */
import { headerText } from '../../contracts/envelope.ts'
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import type { Fact } from '../../contracts/fact.ts'
import type { RecordToStore, StoredRecord } from '../../contracts/record-format.ts'
import type { Appended, OutgoingRecord } from '../ports/broker.ts'
import { delay } from '../ports/clock.ts'
import { errorFields } from '../ports/logger.ts'
import type { HandlingDeps } from './deps.ts'

const BLOCKED_FIRST_RETRY_MS = 500
const BLOCKED_LONGEST_RETRY_MS = 30_000

/** When a refusal is the answer: after so long, or at once where `isAnswer` says so. */
interface Limit {
  readonly giveUpAfterMs: number
  readonly isAnswer?: (refusal: LabanError) => boolean
}

/** See the file's head. One per agent and process. */
export class Outlet {
  readonly #deps: HandlingDeps
  #blocked = 0

  constructor(deps: HandlingDeps) {
    this.#deps = deps
  }

  /** Handlings whose records the broker refuses. */
  get blockedCount(): number {
    return this.#blocked
  }

  /** Appends records of laban's own, however long the broker refuses them. */
  append(records: readonly OutgoingRecord[]): Promise<readonly Appended[]> {
    return this.#untilAccepted(() => this.#deps.producer.append(records))
  }

  /** Writes facts, however long the broker refuses them: an input without its fact is not finished. */
  writeFacts(facts: readonly Fact[]): Promise<void> {
    return this.#untilAccepted(() => this.#deps.facts.append(...facts))
  }

  /** Appends outputs. The answer is the refusal, where that has lasted as long as an event may hold its lane. */
  async publish(records: readonly RecordToStore[]): Promise<readonly Appended[] | LabanError> {
    if (records.length === 0) return []
    const { producer, agent } = this.#deps
    return this.#untilAccepted(() => producer.append(records), { giveUpAfterMs: agent.retry.laneMs })
  }

  /** Appends a record that may be too large, which is the answer then. */
  appendIfFits(record: OutgoingRecord): Promise<readonly Appended[] | LabanError> {
    const limit = { giveUpAfterMs: Number.POSITIVE_INFINITY, isAnswer: isTooLarge }
    return this.#untilAccepted(() => this.#deps.producer.append([record]), limit)
  }

  #untilAccepted<T>(append: () => Promise<T>): Promise<T>
  #untilAccepted<T>(append: () => Promise<T>, limit: Limit): Promise<T | LabanError>
  /**
   * A refusal keeps the record and the lane: rights or topics can be mended, a result cannot be made again. With a limit a refusal that
   * has lasted so long is the answer.
   */
  async #untilAccepted<T>(append: () => Promise<T>, limit?: Limit): Promise<T | LabanError> {
    const { clock, log, signal } = this.#deps
    const giveUpAtMs = clock.steadyMs() + (limit?.giveUpAfterMs ?? Number.POSITIVE_INFINITY)
    let isBlocked = false
    try {
      for (let waitMs = BLOCKED_FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, BLOCKED_LONGEST_RETRY_MS)) {
        try {
          return await append()
        } catch (error) {
          if (!isLabanError(error) || error.errorClass !== 'terminal') throw error
          if (clock.steadyMs() >= giveUpAtMs || limit?.isAnswer?.(error) === true) return error
          if (!isBlocked) this.#blocked++
          isBlocked = true
          log.error('publish blocked', errorFields(error))
          await delay(clock, Math.min(waitMs, giveUpAtMs - clock.steadyMs()), signal)
          if (signal.aborted) throw new LabanError('LABAN_SHUTDOWN')
        }
      }
    } finally {
      if (isBlocked) this.#blocked--
    }
  }
}

function isTooLarge(error: LabanError): boolean {
  return error.code === 'LABAN_BROKER_MESSAGE_TOO_LARGE'
}

/** Names the output that was refused: the largest, or the first, of the refused topic. */
export function unpublishable(agent: string, outputs: readonly StoredRecord[], refusal: LabanError): LabanError {
  const { topic } = refusal.details
  const sizeOf = (record: StoredRecord): number => (isTooLarge(refusal) ? (record.value?.length ?? 0) : 0)
  const [output] = outputs
    .filter((record) => topic === undefined || record.topic === topic)
    .sort((left, right) => sizeOf(right) - sizeOf(left))
  const id = output === undefined ? '' : (headerText(output.headers, 'ce_id') ?? '')
  const details = { agent, output: id, topic: output?.topic ?? String(topic), problem: refusal.message }
  return new LabanError('LABAN_OUTPUT_UNPUBLISHABLE', details, { cause: refusal })
}
