/** How far the ledger is behind the log, what it holds and what that takes. */
import { FACTS_TOPIC } from '../../contracts/index.ts'
import type { Broker, Clock, SqlDatabase } from '../../runtime/internal.ts'
import { LEDGER_GROUP } from './ledger.ts'
import { Positions } from './positions.ts'
import type { LedgerTables } from './tables.ts'

/** One partition of the log. */
export interface PartitionStatus {
  readonly partition: number
  /** First offset that the log still has. */
  readonly startOffset: number
  readonly endOffset: number
  /** Next offset to read; null when the partition was never read. */
  readonly nextOffset: number | null
  /** Facts that are not stored. */
  readonly lagFacts: number
  /** Age of the oldest of them; 0 when there are none. */
  readonly lagMs: number
  /** Stored facts whose flow's line does not account for them yet. */
  readonly underivedFacts: number
}

/** An archived topic. */
export interface ArchiveStatus {
  readonly topic: string
  readonly records: number
  /** The earliest, epoch ms; null when there is none. */
  readonly oldestAtMs: number | null
  /** -1 for ever. */
  readonly keepMs: number
  /** Records on the log that are not archived yet. */
  readonly lagRecords: number
}

/** The whole ledger. */
export interface LedgerStatus {
  readonly partitions: readonly PartitionStatus[]
  /** Running instances, as the group knows them. */
  readonly instances: number
  readonly flows: number
  /** Flows that have not ended, or of which something is amiss. */
  readonly openFlows: number
  readonly facts: number
  /** Tables and indexes together. */
  readonly bytes: number
  /** The earliest fact, epoch ms; null when there is none. */
  readonly oldestAtMs: number | null
  /** Facts that only the ledger still has: the log has forgotten them. */
  readonly beyondLog: number
  readonly archive: readonly ArchiveStatus[]
}

/** What is asked. */
export interface StatusSources {
  readonly database: SqlDatabase
  readonly tables: LedgerTables
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  readonly clock: Clock
}

/** The status now. @throws LABAN_LEDGER_UNAVAILABLE, LABAN_BROKER_UNAVAILABLE */
export async function ledgerStatus(sources: StatusSources): Promise<LedgerStatus> {
  const { database, tables, broker } = sources
  const [partitions, group, [counts], [size]] = await Promise.all([
    partitionsOf(sources),
    broker.admin.describeGroup(LEDGER_GROUP),
    database.query<{ flows: number; open: number; facts: number; oldest: number | null }>(
      `SELECT (SELECT count(*) FROM ${tables.flows})::float8 AS flows,
              (SELECT count(*) FROM ${tables.flows} WHERE NOT complete)::float8 AS open,
              (SELECT count(*) FROM ${tables.facts})::float8 AS facts,
              (SELECT extract(epoch FROM min(at))::float8 * 1000 FROM ${tables.facts}) AS oldest`,
    ),
    database.query<{ bytes: number }>(
      `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 AS bytes
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'`,
      [tables.schemaName],
    ),
  ])
  const oldest = counts?.oldest ?? null
  return {
    partitions,
    instances: group.members,
    flows: counts?.flows ?? 0,
    openFlows: counts?.open ?? 0,
    facts: counts?.facts ?? 0,
    bytes: size?.bytes ?? 0,
    oldestAtMs: oldest === null ? null : Math.round(oldest),
    beyondLog: await beyondLog(sources, partitions),
    archive: await archiveOf(sources),
  }
}

async function partitionsOf(sources: StatusSources): Promise<readonly PartitionStatus[]> {
  const { database, tables, broker, clock } = sources
  const rows = await database.query<{ partition: number; next: number; derived: number }>(
    `SELECT partition, next_offset::float8 AS next, derived_offset::float8 AS derived FROM ${tables.positions} WHERE topic = $1`,
    [FACTS_TOPIC],
  )
  const stored = new Map(rows.map((row) => [row.partition, row]))
  const offsets = [...(await broker.admin.offsets(FACTS_TOPIC))].sort((a, b) => a.partition - b.partition)
  return await Promise.all(
    offsets.map(async ({ partition, startOffset, endOffset }) => {
      const own = stored.get(partition)
      const fromOffset = Math.max(startOffset, own?.next ?? startOffset)
      const oldestMs = await timestampAt(broker, partition, fromOffset, endOffset)
      return {
        partition,
        startOffset,
        endOffset,
        nextOffset: own?.next ?? null,
        lagFacts: Math.max(0, endOffset - fromOffset),
        lagMs: oldestMs === undefined ? 0 : Math.max(0, clock.nowMs() - oldestMs),
        underivedFacts: own === undefined ? 0 : Math.max(0, own.next - own.derived),
      }
    }),
  )
}

/** Of the first record that is not read yet. */
async function timestampAt(
  { reader }: StatusSources['broker'],
  partition: number,
  fromOffset: number,
  endOffset: number,
): Promise<number | undefined> {
  if (fromOffset >= endOffset) return undefined
  for await (const batch of reader.read({ topic: FACTS_TOPIC, partition, fromOffset, toOffset: fromOffset + 1 })) {
    for (const { timestampMs } of batch) return timestampMs
  }
  return undefined
}

async function beyondLog({ database, tables }: StatusSources, partitions: readonly PartitionStatus[]): Promise<number> {
  let facts = 0
  for (const { partition, startOffset } of partitions) {
    if (startOffset === 0) continue
    const [row] = await database.query<{ count: number }>(
      `SELECT count(*)::float8 AS count FROM ${tables.facts} WHERE partition = $1 AND "offset" < $2`,
      [partition, startOffset],
    )
    facts += row?.count ?? 0
  }
  return facts
}

async function archiveOf({ database, tables, broker }: StatusSources): Promise<readonly ArchiveStatus[]> {
  const rows = await database.query<{ topic: string; keep: number; records: number; oldest: number | null }>(
    `SELECT a.topic, a.keep_ms AS keep, count(b.at)::float8 AS records, extract(epoch FROM min(b.at))::float8 * 1000 AS oldest
     FROM ${tables.archives} AS a LEFT JOIN ${tables.bodies} AS b USING (topic) GROUP BY a.topic, a.keep_ms ORDER BY a.topic`,
  )
  if (rows.length === 0) return []
  const existing = new Set(await broker.admin.listTopics())
  return await Promise.all(
    rows.map(async ({ topic, keep, records, oldest }) => ({
      topic,
      records,
      oldestAtMs: oldest === null ? null : Math.round(oldest),
      keepMs: keep,
      lagRecords: existing.has(topic) ? await archiveLag({ database, tables, broker }, topic) : 0,
    })),
  )
}

async function archiveLag(
  { database, tables, broker }: Pick<StatusSources, 'database' | 'tables' | 'broker'>,
  topic: string,
): Promise<number> {
  const next = await new Positions(database, tables, topic).all()
  return (await broker.admin.offsets(topic)).reduce(
    (sum, { partition, startOffset, endOffset }) =>
      sum + Math.max(0, endOffset - Math.max(startOffset, next.get(partition) ?? startOffset)),
    0,
  )
}
