/** Finds a flow wherever it may be: in a running `laban dev`, on Kafka, in the last embedded run. */
import { isUuid, type Uuid } from '../contracts/index.ts'
import {
  delay,
  isLabanError,
  LabanError,
  noTarget,
  systemClock,
  type Config,
  type FlowSource,
  type Stack,
  type Target,
  type TargetKind,
} from '../runtime/internal.ts'
import type { FlowGraph } from '../tracing/index.ts'
import { openFlowSource, type OpenFlowSource } from '../services/ledger/index.ts'
import type { CommandContext } from './command.ts'
import { readingSource, type ReadingSource } from './reading-source.ts'
import { commandLog, findCandidates } from './target.ts'

/** A flow, where it was, and what to read more of it with. */
export interface FoundFlow {
  readonly graph: FlowGraph
  readonly kind: TargetKind
  /** For people. */
  readonly target: string
  readonly config: Config
  readonly source: FlowSource
  readonly log: ReadingSource
}

/** Where and how to look. */
export interface FindOptions {
  readonly on: TargetKind | undefined
  readonly fromLog: boolean
  /** What is done about a flow that nobody knows yet. @default fails at once */
  readonly wait?: WaitForFlow
}

/** Looking again until the flow has begun. */
export interface WaitForFlow {
  readonly forMs: number
  readonly signal: AbortSignal
  /** Told once, before the first wait. */
  readonly onWait: () => void
}

/** One place that was opened to look in it. */
interface Place {
  readonly target: Target
  readonly stack: Stack
  readonly flows: OpenFlowSource
}

/** Errors after which the next place is looked at. */
const ELSEWHERE: ReadonlySet<string> = new Set(['LABAN_FLOW_NOT_FOUND', 'LABAN_BROKER_UNAVAILABLE', 'LABAN_LOG_FILE'])
const LOOK_EVERY_MS = 500
/** Looking takes a while where there is no ledger; the log is not asked more than a quarter of the time. */
const PAUSE_PER_LOOK = 3

/**
 * Reads the flow from the first place that has it, and calls `use` while that place is open.
 * @throws LABAN_FLOW_NOT_FOUND, LABAN_TARGET_MISSING, LABAN_USAGE when the beginning of an id fits several flows
 */
export async function withFlow<R>(
  id: string,
  context: CommandContext,
  options: FindOptions,
  use: (found: FoundFlow) => Promise<R>,
): Promise<R> {
  const { on } = options
  const { loaded, candidates } = await findCandidates(context, { on, purpose: 'read', log: commandLog() })
  const search = new Search(id, loaded.config, options)
  try {
    for (const candidate of candidates) {
      const found = await search.openAndLook(candidate)
      if (found !== undefined) return await use(found)
    }
    const found = await search.lookAgain()
    if (found !== undefined) return await use(found)
    throw search.failure ?? noTarget(on)
  } finally {
    await search.close()
  }
}

/** The places that were looked at, open until the end, and why the first of them had no such flow. */
class Search {
  readonly #id: string
  readonly #config: Config
  readonly #options: FindOptions
  readonly #places: Place[] = []
  failure: LabanError | undefined

  constructor(id: string, config: Config, options: FindOptions) {
    this.#id = id
    this.#config = config
    this.#options = options
  }

  async openAndLook(target: Target): Promise<FoundFlow | undefined> {
    return this.#orElsewhere(async () => {
      const stack = await target.open()
      try {
        const place = { target, stack, flows: await openFlowSource(stack) }
        this.#places.push(place)
        return await this.#look(place)
      } finally {
        if (this.#places.every((place) => place.stack !== stack)) await stack.close()
      }
    })
  }

  /** As often as the options say; a finished run gets no more flows. */
  async lookAgain(): Promise<FoundFlow | undefined> {
    const { wait } = this.#options
    const live = this.#places.filter(({ target }) => target.kind !== 'run')
    if (wait === undefined || wait.forMs <= 0 || live.length === 0) return undefined
    wait.onWait()
    const endMs = systemClock.steadyMs() + wait.forMs
    let pauseMs = LOOK_EVERY_MS
    while (!wait.signal.aborted && systemClock.steadyMs() < endMs) {
      await delay(systemClock, Math.min(pauseMs, endMs - systemClock.steadyMs()), wait.signal)
      const startedMs = systemClock.steadyMs()
      for (const place of live) {
        const found = await this.#orElsewhere(() => this.#look(place))
        if (found !== undefined) return found
      }
      pauseMs = Math.max(LOOK_EVERY_MS, (systemClock.steadyMs() - startedMs) * PAUSE_PER_LOOK)
    }
    return undefined
  }

  async close(): Promise<void> {
    for (const { stack, flows } of this.#places) {
      await flows.close()
      await stack.close()
    }
  }

  async #look({ target, stack, flows }: Place): Promise<FoundFlow> {
    const { fromLog } = this.#options
    const { source, description } = flows
    const graph = await source.flow(await flowIdFor(this.#id, source), { fromLog })
    const from = fromLog && source.kind === 'ledger' ? 'the log' : description
    const shown = { kind: target.kind, target: `${target.description}, ${from}` }
    return { graph, ...shown, config: this.#config, source, log: readingSource(stack, source.archive) }
  }

  async #orElsewhere(look: () => Promise<FoundFlow>): Promise<FoundFlow | undefined> {
    try {
      return await look()
    } catch (error) {
      if (!isLabanError(error) || !ELSEWHERE.has(error.code)) throw error
      this.failure ??= error
      return undefined
    }
  }
}

async function flowIdFor(id: string, source: FlowSource): Promise<Uuid> {
  if (isUuid(id.toLowerCase())) return id.toLowerCase()
  const { flows, total } = await source.search({ key: id, limit: 5 })
  const [first] = flows
  if (first === undefined) throw new LabanError('LABAN_FLOW_NOT_FOUND', { flowId: id })
  if (total === 1) return first.flowId
  const shown = flows.map(({ flowId }) => flowId).join(', ')
  throw new LabanError('LABAN_USAGE', {
    problem: `${id} fits ${total} flows: ${shown}${total > flows.length ? ', …' : ''}`,
  })
}
