/**
 * Where flows are read from. The log answers always and slowly; a ledger answers at once and says how far behind the log it is. Both
 * give the same graphs, so whoever reads flows (command line, console, diagnosis) knows only this.
 */
import type { Uuid } from '../../contracts/ids.ts'
import type { Manifest } from '../../contracts/manifest.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import type { RecordArchive } from '../ports/record-archive.ts'
import { listFlows, readAllFlows, type FlowFilter, type FlowSummary } from './list-flows.ts'
import { readManifests, type LogSource } from './platform-records.ts'
import { readFlow } from './read-flow.ts'
import { readUnfinished } from './read-unfinished.ts'
import type { UnfinishedFlows, UnfinishedOptions } from './unfinished.ts'

/** Flows that fit a filter, the newest first. */
export interface FlowPage {
  readonly flows: readonly FlowSummary[]
  /** How many fit in all. */
  readonly total: number
}

/** See the file's head. */
export interface FlowSource {
  readonly kind: 'log' | 'ledger'
  /**
   * One flow. `fromLog` also meets the events on their topics and compares them with the facts.
   * @throws LABAN_FLOW_NOT_FOUND, LABAN_FORMAT_TOO_NEW, LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE
   */
  flow(flowId: Uuid, options?: { readonly fromLog?: boolean }): Promise<FlowGraph>
  /** @throws as `flow`, but an empty page is no error */
  search(filter: FlowFilter): Promise<FlowPage>
  /** Flows that hold an event with this id: one, unless somebody gave two events one id. */
  flowsOfEvent(eventId: Uuid): Promise<readonly Uuid[]>
  /**
   * Flows that have not ended well and need somebody's attention: all counted, sorted into kinds that look alike, and the oldest read.
   * @throws LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE
   */
  unfinished(options: UnfinishedOptions): Promise<UnfinishedFlows>
  /** The newest manifest of every instance, stopped ones included. */
  manifests(): Promise<readonly Manifest[]>
  /** Records that their topics have forgotten; absent where nothing keeps them. */
  readonly archive?: RecordArchive
}

/** Reads everything from the log itself; needs no ledger and no trace store. */
export function logFlowSource(source: LogSource): FlowSource {
  return {
    kind: 'log',
    flow: (flowId, { fromLog = false } = {}) => readFlow({ ...source, flowId, fromLog }),
    search: (filter) => listFlows({ ...source, ...filter }),
    manifests: () => readManifests(source),
    unfinished: (options) => readUnfinished(source, options),
    async flowsOfEvent(eventId) {
      const found: Uuid[] = []
      for await (const graph of readAllFlows(source)) {
        if (graph.events.some((event) => event.id === eventId)) found.push(graph.flowId)
      }
      return found
    },
  }
}
