/** Opens the ledger that the configuration names, to run it or to read from it. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { AGENTS_TOPIC, createCodec, FACTS_TOPIC, LabanError } from '../../contracts/index.ts'
import {
  errorFields,
  isLabanError,
  logFlowSource,
  openCodec,
  openLedgerDatabase,
  type Config,
  type FlowSource,
  type Logger,
  type LogSource,
  type SqlDatabase,
  type Stack,
} from '../../runtime/internal.ts'
import type { ArchivedTopic } from './archive-rows.ts'
import { ledgerFlowSource } from './ledger-flow-source.ts'
import { Ledger, type LedgerIdentity } from './ledger.ts'
import { defaultSchema, isMigrated, ledgerTables, type LedgerTables } from './tables.ts'

/** A ledger's database and the tables in it. */
export interface OpenLedger {
  readonly database: SqlDatabase
  readonly tables: LedgerTables
}

/** Where flows are read from, for programs and people. */
export interface OpenFlowSource {
  readonly source: FlowSource
  /** For people: `the ledger, PostgreSQL at …`, or why it is the log. */
  readonly description: string
  close(): Promise<void>
}

/** The database that the configuration names; undefined when it names none. Nothing is made in it. @throws LABAN_LEDGER_UNAVAILABLE */
export async function openLedger(config: Config, log: Logger): Promise<OpenLedger | undefined> {
  const database = await openLedgerDatabase(config, log)
  if (database === undefined) return undefined
  return { database, tables: ledgerTables(config.ledger.schema ?? defaultSchema(config.namespace)) }
}

/**
 * A running ledger's parts for {@link Ledger}, not started. One with a version announces itself as an agent of that version.
 * @throws LABAN_LEDGER_MISSING when none is configured
 */
export async function createLedger(
  stack: Stack,
  onFatal: (error: unknown) => void,
  { version }: { readonly version?: string } = {},
): Promise<{ readonly ledger: Ledger; readonly database: SqlDatabase }> {
  const { config, broker, clock, log } = stack
  const open = await openLedger(config, log)
  if (open === undefined)
    throw new LabanError('LABAN_LEDGER_MISSING', { problem: 'neither ledger.url nor ledger.dir is set' })
  const archive = archivedTopics(stack)
  const retentionMs = retentionOf(stack)
  warnOfShortRetention(stack.log, archive, retentionMs)
  const identity = version === undefined ? undefined : await identityOf(stack, version)
  const ledger = new Ledger({
    ...open,
    ...(identity === undefined ? {} : { identity }),
    broker,
    clock,
    log,
    codec: readingSource(stack).codec,
    retentionMs,
    archive,
    maxBatchFacts: config.ledger.maxBatchFacts,
    quietMs: config.ledger.quietMs,
    onFatal,
  })
  return { ledger, database: open.database }
}

/** Reads from the ledger where there is one that answers and has been started before, else from the log. */
export async function openFlowSource(stack: Stack, source = readingSource(stack)): Promise<OpenFlowSource> {
  const fromLog = (description: string): OpenFlowSource => ({
    source: logFlowSource(source),
    description,
    close: () => Promise.resolve(),
  })
  if (stack.kind !== 'kafka') return fromLog('the log')
  let open: OpenLedger | undefined
  try {
    open = await openLedger(stack.config, stack.log)
    if (open === undefined) return fromLog('the log')
    const { database, tables } = open
    if (!(await isMigrated(database, tables))) {
      await database.close()
      return fromLog('the log; the ledger has never been started')
    }
    return {
      source: ledgerFlowSource({ ...open, source }),
      description: `the ledger, ${database.description}`,
      close: () => database.close(),
    }
  } catch (error) {
    await open?.database.close()
    if (!isLabanError(error)) throw error
    return fromLog(`the log, because the ledger cannot be used: ${error.message}`)
  }
}

/** What flows are read with; the writers' schemas come from the registry. */
export function readingSource({ broker, contracts, registry }: Stack): LogSource {
  return { broker, contracts, codec: createCodec({ contracts, registry, schemaIds: new Map() }) }
}

/** As the contracts say. */
export function archivedTopics({ contracts }: Pick<Stack, 'contracts'>): readonly ArchivedTopic[] {
  return [...contracts.topics.values()].flatMap(({ name, archiveMs }) =>
    archiveMs === undefined ? [] : [{ topic: name, keepMs: archiveMs }],
  )
}

/** Undefined where nobody has ever registered the schema of manifests: nothing depends on the announcement. */
export async function identityOf(stack: Stack, version: string): Promise<LedgerIdentity | undefined> {
  try {
    const { codec } = await openCodec(stack, [AGENTS_TOPIC])
    return { codec, version, instance: `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}` }
  } catch (error) {
    if (!isLabanError(error) || error.code !== 'LABAN_SCHEMA_MISSING') throw error
    stack.log.warn('the ledger does not announce itself', errorFields(error))
    return undefined
  }
}

/** Bodies are found by facts. */
function warnOfShortRetention(log: Logger, archive: readonly ArchivedTopic[], retentionMs: number): void {
  const longer = archive.filter(({ keepMs }) => retentionMs !== -1 && (keepMs === -1 || keepMs > retentionMs))
  if (longer.length === 0) return
  log.warn('archived bodies outlive the flows by which they are found; raise ledger.retentionDays', {
    topics: longer.map(({ topic }) => topic),
    retentionDays: retentionMs / DAY_MS,
  })
}

const DAY_MS = 86_400_000

/** As long as the log keeps facts, unless configured otherwise. */
function retentionOf({ config, contracts }: Stack): number {
  const { retentionDays } = config.ledger
  return retentionDays === undefined ? contracts.get(FACTS_TOPIC).retentionMs : retentionDays * DAY_MS
}
