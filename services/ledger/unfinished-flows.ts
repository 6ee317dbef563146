/**
 * Finds unfinished flows by their lines. Flows whose line may be old (facts that were stored or appended since) are rebuilt from their
 * facts instead, so that the answer is that of the log at this moment.
 */
import { FACTS_TOPIC, type Fact, type Uuid } from '../../contracts/index.ts'
import {
  factsIn,
  isUnfinished,
  shareOut,
  summarize,
  UnfinishedKinds,
  type LogSource,
  type NewerRecord,
  type SqlDatabase,
  type UnfinishedFlows,
  type UnfinishedOptions,
} from '../../runtime/internal.ts'
import { reconstructFlow, type FlowGraph, type Subscriptions } from '../../tracing/index.ts'
import type { FactReader } from './fact-reader.ts'
import { timestamps, uuids } from './pg-arrays.ts'
import type { LedgerTables } from './tables.ts'

/** What is read with. */
export interface UnfinishedSource {
  readonly database: SqlDatabase
  readonly tables: LedgerTables
  readonly reader: FactReader
  readonly source: LogSource
  readonly subscriptions: Subscriptions
}

/** Facts of one partition whose flows may have an old line; beyond, the answer says so and goes by the lines. */
const MOST_TAIL_FACTS = 50_000
/** Flows of one kind that are read. */
const MOST_OF_A_KIND = 100

interface KindRow extends Record<string, unknown> {
  readonly count: number
  readonly oldest: readonly Uuid[]
}

/** What lies beyond the lines. */
interface Tail {
  readonly facts: ReadonlyMap<Uuid, readonly Fact[]>
  readonly newer: readonly (NewerRecord & { readonly flowId: Uuid })[]
  readonly unseen: readonly string[]
}

/** See the file's head. @throws LABAN_LEDGER_UNAVAILABLE, LABAN_BROKER_UNAVAILABLE, LABAN_REGISTRY_UNAVAILABLE */
export async function unfinishedFlows(
  options: UnfinishedSource,
  { beforeMs, mostGraphs }: UnfinishedOptions,
): Promise<UnfinishedFlows> {
  const tail = await tailOf(options)
  const kinds = new UnfinishedKinds()
  const newer = new Set(tail.newer.map(({ flowId }) => flowId))
  const touched = [...new Set([...tail.facts.keys(), ...newer])]
  const counted = new Set<Uuid>(newer)
  for (const graph of await graphsOf(options, touched, tail)) {
    const summary = summarize(graph)
    if (newer.has(graph.flowId) || !isUnfinished(summary, beforeMs)) continue
    kinds.add(summary, graph)
    counted.add(graph.flowId)
  }
  const rows = await kindsOf(options, { touched, beforeMs })
  const graphs = new Map<Uuid, FlowGraph>()
  const shares = shareOut(
    rows.map(({ oldest }) => oldest.length),
    mostGraphs,
  )
  const wanted = rows.flatMap(({ oldest }, index) => oldest.slice(0, shares[index]))
  for (const graph of await graphsOf(options, wanted, tail)) graphs.set(graph.flowId, graph)
  for (const { count, oldest } of rows) {
    const own = oldest.flatMap((flowId) => graphs.get(flowId) ?? [])
    own.forEach((graph, index) => kinds.add(summarize(graph), graph, index === 0 ? count - own.length : 0))
  }
  return {
    kinds: kinds.list(mostGraphs),
    unreadable: tail.newer,
    unseen: tail.unseen,
    among: async (flowIds) =>
      new Set([...flowIds.filter((flowId) => counted.has(flowId)), ...(await openLines(options, flowIds, touched))]),
  }
}

/** Facts behind the offset up to which all lines are up to date. */
async function tailOf({ database, tables, source }: UnfinishedSource): Promise<Tail> {
  const [offsets, rows] = await Promise.all([
    source.broker.admin.offsets(FACTS_TOPIC),
    database.query<{ partition: number; derived: number }>(
      `SELECT partition, derived_offset::float8 AS derived FROM ${tables.positions} WHERE topic = $1`,
      [FACTS_TOPIC],
    ),
  ])
  const derived = new Map(rows.map((row) => [row.partition, row.derived]))
  const facts = new Map<Uuid, Fact[]>()
  const newer: (NewerRecord & { readonly flowId: Uuid })[] = []
  const unseen: string[] = []
  for (const { partition, startOffset, endOffset } of offsets) {
    const fromOffset = Math.max(startOffset, derived.get(partition) ?? startOffset)
    const behind = endOffset - fromOffset
    if (behind > MOST_TAIL_FACTS) {
      unseen.push(`The ledger is ${behind} facts behind in ${FACTS_TOPIC}/${partition}; flows of these may be missing.`)
      continue
    }
    for await (const found of factsIn(source, { topic: FACTS_TOPIC, partition, fromOffset, toOffset: endOffset })) {
      if (found.state === 'newer') newer.push(found)
      if (found.state !== 'read') continue
      const own = facts.get(found.fact.flowId)
      if (own === undefined) facts.set(found.fact.flowId, [found.fact])
      else own.push(found.fact)
    }
  }
  return { facts, newer, unseen }
}

async function graphsOf(
  { reader, subscriptions }: UnfinishedSource,
  flowIds: readonly Uuid[],
  tail: Tail,
): Promise<readonly FlowGraph[]> {
  if (flowIds.length === 0) return []
  const stored = Map.groupBy(await reader.factsOf(flowIds), ({ flowId }) => flowId)
  return flowIds.map((flowId) => {
    const own = stored.get(flowId) ?? []
    const readable = own.flatMap(({ fact }) => fact ?? [])
    const facts = [...readable, ...(tail.facts.get(flowId) ?? [])]
    return reconstructFlow({
      flowId,
      facts,
      manifests: subscriptions,
      unreadableFacts: own.length - readable.length,
    })
  })
}

/** Lines that {@link isUnfinished} would choose; two ways in, because open flows and failed ones have an index each. */
const OPEN = `attention <> '{}' AND NOT complete AND status <> 'completed'`
const FAILED = `attention <> '{}' AND complete AND status = 'failed'`

/** Kinds of lines, without the flows that were touched since. */
async function kindsOf(
  { database, tables }: UnfinishedSource,
  { touched, beforeMs }: { readonly touched: readonly Uuid[]; readonly beforeMs: number },
): Promise<readonly KindRow[]> {
  const columns = 'status, first_topic, attention, error_codes'
  const lines = (condition: string): string =>
    `SELECT flow_id, started_at, ${columns} FROM ${tables.flows} AS f WHERE ${condition}
       AND (started_at IS NULL OR started_at < ($2::timestamptz[])[1])
       AND NOT EXISTS (SELECT FROM unnest($1::uuid[]) AS t (id) WHERE t.id = f.flow_id)`
  return database.query<KindRow>(
    `SELECT count(*)::float8 AS count,
            (array_agg(flow_id::text ORDER BY started_at NULLS FIRST, flow_id))[1:${MOST_OF_A_KIND}] AS oldest
     FROM (${lines(OPEN)} UNION ALL ${lines(FAILED)}) AS line GROUP BY ${columns}`,
    [uuids(touched), timestamps([beforeMs])],
  )
}

async function openLines(
  { database, tables }: UnfinishedSource,
  flowIds: readonly Uuid[],
  touched: readonly Uuid[],
): Promise<readonly Uuid[]> {
  const rows = await database.query<{ flow_id: Uuid }>(
    `SELECT flow_id FROM ${tables.flows} WHERE flow_id = ANY($1::uuid[]) AND ((${OPEN}) OR (${FAILED}))`,
    [uuids(flowIds)],
  )
  const anew = new Set(touched)
  return rows.map((row) => row.flow_id).filter((flowId) => !anew.has(flowId))
}
