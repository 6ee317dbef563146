/** Reads one flow back from the log: its facts, and on demand the events themselves. */
import { LabanError } from '../../contracts/errors.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import { reconstructFlow } from '../../tracing/reconstruct.ts'
import { readEventsOf } from './event-records.ts'
import { readFactsOf, readManifests, type LogSource } from './platform-records.ts'

/** What to read. */
export interface ReadFlowOptions extends LogSource {
  readonly flowId: Uuid
  /** Also meet the events on their topics, so that what facts claim and what is there can be compared. @default false */
  readonly fromLog?: boolean
}

/**
 * The graph of one flow.
 * @throws LABAN_FLOW_NOT_FOUND when nothing carries this flow id; LABAN_FORMAT_TOO_NEW, LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE
 */
export async function readFlow(options: ReadFlowOptions): Promise<FlowGraph> {
  const { flowId, fromLog = false } = options
  const [{ facts, unreadable }, manifests] = await Promise.all([readFactsOf(options, flowId), readManifests(options)])
  const events = fromLog ? { events: await readEventsOf(options, flowId, facts) } : {}
  const graph = reconstructFlow({ flowId, facts, manifests, unreadableFacts: unreadable, ...events })
  if (graph.events.length === 0 && unreadable === 0) throw new LabanError('LABAN_FLOW_NOT_FOUND', { flowId })
  return graph
}
