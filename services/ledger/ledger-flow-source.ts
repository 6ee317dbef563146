/**
 * Reads flows from the ledger: stored facts and, where the ledger is a little behind, the rest from the log, so that an answer is
 * never stale. The graph is rebuilt by the same fold as from the log alone.
 */
import { FACTS_TOPIC, LabanError, type Uuid } from '../../contracts/index.ts'
import {
  logFlowSource,
  partitionOfFlow,
  readFacts,
  type FlowSource,
  type LogSource,
  type SqlDatabase,
} from '../../runtime/internal.ts'
import { reconstructFlow, type FlowGraph } from '../../tracing/index.ts'
import { ledgerArchive } from './archive-rows.ts'
import { FactReader } from './fact-reader.ts'
import { ManifestTable } from './manifest-table.ts'
import { uuids } from './pg-arrays.ts'
import { searchFlows } from './search-flows.ts'
import type { LedgerTables } from './tables.ts'
import { unfinishedFlows } from './unfinished-flows.ts'

/** What a ledger is read with. */
export interface LedgerFlowSourceOptions {
  readonly database: SqlDatabase
  readonly tables: LedgerTables
  /** The log: for what the ledger has not read yet, and for `fromLog`. */
  readonly source: LogSource
  /** Facts of one partition that are read from the log in addition; beyond, the answer says how far behind the ledger is. @default 5000 */
  readonly maxTailFacts?: number
}

/** What the log holds beyond the ledger. */
interface Tail {
  readonly partition: number
  readonly fromOffset: number
  readonly toOffset: number
}

/** See the file's head. The tables must be there. */
export function ledgerFlowSource(options: LedgerFlowSourceOptions): FlowSource {
  const { database, tables, source, maxTailFacts = 5_000 } = options
  const reader = new FactReader(database, tables, source.codec)
  const manifests = new ManifestTable({ database, tables, broker: source.broker, codec: source.codec })
  const fromLog = logFlowSource(source)

  const flow = async (flowId: Uuid): Promise<FlowGraph> => {
    const [stored, tails] = await Promise.all([
      reader.factsOf([flowId]),
      tailsOf(database, tables, source),
      manifests.refresh({ store: false }),
    ])
    const own = tails.find(({ partition }) => partition === partitionOfFlow(flowId, tails.length))
    // A flow from before the topic had more partitions has its newer facts elsewhere than its older ones.
    const elsewhere = stored.length === 0 || stored.some(({ partition }) => partition !== own?.partition)
    const unread = tails.filter((tail) => tail.toOffset > tail.fromOffset && (elsewhere || tail === own))
    const short = unread.filter((tail) => tail.toOffset - tail.fromOffset <= maxTailFacts)
    const tail = await readFacts(
      source,
      short.map((range) => ({ ...range, topic: FACTS_TOPIC })),
      flowId,
    )
    const readable = stored.flatMap(({ fact }) => fact ?? [])
    const graph = reconstructFlow({
      flowId,
      facts: [...readable, ...tail.facts],
      manifests: manifests.subscriptions,
      unreadableFacts: stored.length - readable.length + tail.unreadable,
    })
    const behind = unread.filter((range) => !short.includes(range))
    if (graph.events.length === 0 && stored.length + tail.unreadable === 0) {
      // The ledger cannot know that there is no such flow while it has not read everything.
      if (behind.length > 0) return fromLog.flow(flowId)
      throw new LabanError('LABAN_FLOW_NOT_FOUND', { flowId })
    }
    return behind.length === 0 ? graph : withLag(graph, behind)
  }

  return {
    kind: 'ledger',
    flow: (flowId, { fromLog: compare = false } = {}) =>
      compare ? fromLog.flow(flowId, { fromLog: true }) : flow(flowId),
    search: (filter) => searchFlows(database, tables, filter),
    unfinished: async (asked) => {
      await manifests.refresh({ store: false })
      return unfinishedFlows({ database, tables, reader, source, subscriptions: manifests.subscriptions }, asked)
    },
    flowsOfEvent: async (eventId) => {
      const rows = await database.query<{ flow_id: Uuid }>(
        `SELECT DISTINCT flow_id FROM ${tables.events} WHERE event_id = ANY($1::uuid[])
         UNION SELECT flow_id FROM ${tables.flows} WHERE flow_id = ANY($1::uuid[])`,
        [uuids([eventId])],
      )
      return rows.map((row) => row.flow_id).sort()
    },
    archive: ledgerArchive(database, tables),
    manifests: async () => {
      await manifests.refresh({ store: false })
      return manifests.manifests
    },
  }
}

async function tailsOf(
  database: SqlDatabase,
  { positions }: LedgerTables,
  { broker }: LogSource,
): Promise<readonly Tail[]> {
  const [offsets, rows] = await Promise.all([
    broker.admin.offsets(FACTS_TOPIC),
    database.query<{ partition: number; next: number }>(
      `SELECT partition, next_offset::float8 AS next FROM ${positions} WHERE topic = $1`,
      [FACTS_TOPIC],
    ),
  ])
  const next = new Map(rows.map((row) => [row.partition, row.next]))
  return offsets.map(({ partition, startOffset, endOffset }) => ({
    partition,
    fromOffset: Math.max(startOffset, next.get(partition) ?? startOffset),
    toOffset: endOffset,
  }))
}

function withLag(graph: FlowGraph, behind: readonly Tail[]): FlowGraph {
  const facts = behind.reduce((sum, { fromOffset, toOffset }) => sum + toOffset - fromOffset, 0)
  const sentence = `The ledger is ${facts} facts behind the log where this flow's facts are, so newer ones may be missing.`
  const { completeness } = graph
  return { ...graph, completeness: { ...completeness, complete: false, unknown: [...completeness.unknown, sentence] } }
}
