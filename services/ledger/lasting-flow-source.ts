/**
 * A flow source for programs that run for long: it reads from the ledger while there is one that answers, else from the log. A ledger
 * that is started later or comes back is found within seconds, and what it fails to answer is asked of the log.
 */
import { isLabanError, logFlowSource, type FlowSource, type Stack } from '../../runtime/internal.ts'
import { openFlowSource, readingSource, type OpenFlowSource } from './open-ledger.ts'

const LOOK_EVERY_MS = 2_000
/** The ledger is away, or is not what this process can read. */
const LEDGER_ERRORS: ReadonlySet<string> = new Set([
  'LABAN_LEDGER_UNAVAILABLE',
  'LABAN_LEDGER_REFUSED',
  'LABAN_LEDGER_NEWER',
])

/** As {@link openFlowSource}; `source.kind` says where it reads from now. */
export async function openLastingFlowSource(stack: Stack): Promise<OpenFlowSource> {
  const lasting = new LastingFlowSource(stack, await openFlowSource(stack))
  return { source: lasting.source, description: lasting.description, close: () => lasting.close() }
}

/** See the file's head. */
class LastingFlowSource {
  readonly source: FlowSource
  readonly #stack: Stack
  readonly #log: FlowSource
  #open: OpenFlowSource
  #lookedAtMs: number
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(stack: Stack, open: OpenFlowSource) {
    this.#stack = stack
    this.#open = open
    this.#log = logFlowSource(readingSource(stack))
    this.#lookedAtMs = stack.clock.steadyMs()
    this.source = delegating(
      () => this.#current(),
      (error) => this.#instead(error),
    )
  }

  get description(): string {
    return this.#open.description
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#looking
    await this.#open.close()
  }

  #current(): FlowSource {
    const { clock, config } = this.#stack
    // An embedded ledger belongs to one process: asking for it again would only disturb that one.
    const mayCome = this.#open.source.kind === 'log' && config.ledger.url !== undefined
    if (mayCome && clock.steadyMs() - this.#lookedAtMs >= LOOK_EVERY_MS) {
      this.#lookedAtMs = Infinity
      this.#looking = this.#look()
    }
    return this.#open.source
  }

  async #look(): Promise<void> {
    const { clock, log } = this.#stack
    try {
      const found = await openFlowSource(this.#stack)
      if (found.source.kind === 'log' || this.#isClosed) return await found.close()
      this.#open = found
      log.info('flows are read from the ledger now', { ledger: found.description })
    } catch (error) {
      log.warn('the ledger could not be looked for', { problem: String(error) })
    } finally {
      this.#lookedAtMs = clock.steadyMs()
    }
  }

  /** Where to ask what the ledger could not answer. @throws the error when it was about something else */
  #instead(error: unknown): FlowSource {
    if (!isLabanError(error) || !LEDGER_ERRORS.has(error.code)) throw error
    const gone = this.#open
    if (gone.source.kind === 'ledger') {
      this.#open = { source: this.#log, description: 'the log', close: () => Promise.resolve() }
      this.#lookedAtMs = this.#stack.clock.steadyMs()
      this.#stack.log.warn('flows are read from the log, because the ledger cannot be used', { problem: error.message })
      // Others may still wait for an answer of it; they will ask the log.
      gone.close().catch(() => undefined)
    }
    return this.#log
  }
}

/** A source that is whatever `current` gives, member by member; a question that fails is asked once more of what `instead` gives. */
function delegating(current: () => FlowSource, instead: (error: unknown) => FlowSource): FlowSource {
  return new Proxy({} as FlowSource, {
    get(_target, name) {
      const source = current()
      const member: unknown = Reflect.get(source, name)
      if (typeof member !== 'function') return member
      return (...args: readonly unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, source, args)
        if (!(answer instanceof Promise)) return answer
        return answer.catch((error: unknown) => {
          const other = instead(error)
          return Reflect.apply(Reflect.get(other, name) as typeof member, other, args) as unknown
        })
      }
    },
  })
}
