/** Finds a flow wherever it may be: in a running `laban dev`, on Kafka, in the last embedded run. */
import { isUuid, type Uuid } from '../contracts/index.ts'
import {
  isLabanError,
  LabanError,
  noTarget,
  type Config,
  type FlowSource,
  type TargetKind,
} from '../runtime/internal.ts'
import type { FlowGraph } from '../tracing/index.ts'
import { openFlowSource } from '../services/ledger/index.ts'
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
}

/** Errors after which the next place is looked at. */
const ELSEWHERE: ReadonlySet<string> = new Set(['LABAN_FLOW_NOT_FOUND', 'LABAN_BROKER_UNAVAILABLE', 'LABAN_LOG_FILE'])

/**
 * Reads the flow from the first place that has it, and calls `use` while that place is open.
 * @throws LABAN_FLOW_NOT_FOUND, LABAN_TARGET_MISSING, LABAN_USAGE when the beginning of an id fits several flows
 */
export async function withFlow<R>(
  id: string,
  context: CommandContext,
  { on, fromLog }: FindOptions,
  use: (found: FoundFlow) => Promise<R>,
): Promise<R> {
  const { loaded, candidates } = await findCandidates(context, { on, purpose: 'read', log: commandLog() })
  let failure: LabanError | undefined
  for (const candidate of candidates) {
    let isFound = false
    try {
      const stack = await candidate.open()
      try {
        const { source, description, close } = await openFlowSource(stack)
        try {
          const graph = await source.flow(await flowIdFor(id, source), { fromLog })
          isFound = true
          const from = fromLog && source.kind === 'ledger' ? 'the log' : description
          const target = `${candidate.description}, ${from}`
          const { kind } = candidate
          return await use({ graph, kind, target, config: loaded.config, source, log: readingSource(stack) })
        } finally {
          await close()
        }
      } finally {
        await stack.close()
      }
    } catch (error) {
      if (isFound || !isLabanError(error) || !ELSEWHERE.has(error.code)) throw error
      failure ??= error
    }
  }
  throw failure ?? noTarget(on)
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
