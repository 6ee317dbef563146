/**
 * The ledger beside the chain bench, on the same machine: what the chain loses by it, how many facts are not taken in when the last
 * flow has ended, and how long until all are; then with the ledger away while the chain runs. `--flows 50000 --pairs 3`
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { FACTS_TOPIC } from '../../contracts/contract.ts'
import { createPostgresDatabase } from '../../runtime/adapters/postgres/database.ts'
import type { Broker } from '../../runtime/ports/broker.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import type { SqlDatabase } from '../../runtime/ports/sql.ts'
import { dropTables, ledgerTables, migrate } from '../../services/ledger/index.ts'
import { stackAddress } from '../../test/harness/real-stack.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { runSettings } from '../chain/addresses.ts'
import { endOffsets } from '../chain/measure.ts'
import { drain } from '../chain/run-worker.ts'
import { CHAIN_WORKLOAD } from '../chain/workload.ts'
import { LedgerProcess } from './process.ts'

const { values } = parseArgs({
  options: { flows: { type: 'string', default: '50000' }, pairs: { type: 'string', default: '3' } },
})
const flows = Number(values.flows)
const facts = flows * CHAIN_WORKLOAD.stages.length
const TIMEOUT_MS = 600_000
const load = (): string => (loadavg()[0] ?? NaN).toFixed(1)

const url = await stackAddress('postgresUrl')
const database = createPostgresDatabase({ url, logger: silentLogger })
try {
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    const alone = await drain(runSettings('b'), flows)
    const beside = await withLedger('beside')
    console.log(
      `pair ${pair + 1}: ${flows} flows alone ${alone.flowsPerSecond.toFixed(0)}/s, beside the ledger ${beside.toFixed(0)}/s, ` +
        `ratio ${(beside / alone.flowsPerSecond).toFixed(2)}, load ${load()}`,
    )
  }
  await withLedger('after')
} finally {
  await database.close()
}

/** One drain with a ledger of its own, that runs beside it or is started when the drain has ended; the answer is flows per second. */
async function withLedger(when: 'beside' | 'after'): Promise<number> {
  const settings = runSettings('b')
  const { namespace } = settings
  const tables = ledgerTables(namespace.replaceAll('-', '_'))
  await migrate(database, tables)
  let process: LedgerProcess | undefined
  const start = (): void => {
    process = LedgerProcess.start({
      LABAN_NAMESPACE: namespace,
      LABAN_BROKERS: settings.brokers.join(','),
      LABAN_REGISTRY_URL: settings.registryUrl,
      LABAN_LEDGER_URL: url,
      LABAN_LEDGER_SCHEMA: tables.schemaName,
      LABAN_LOG_LEVEL: 'warn',
    })
  }
  try {
    const { flowsPerSecond } = await drain(settings, flows, {
      before: () => {
        if (when === 'beside') start()
      },
      after: async (broker) => {
        await untilAppended(broker)
        if (when === 'after') start()
        await catchUp(database, tables.positions, when)
        await process?.stop()
      },
    })
    return flowsPerSecond
  } finally {
    await process?.stop()
    await dropTables(database, tables)
  }
}

/** Facts follow their outputs. */
async function untilAppended(broker: Broker): Promise<void> {
  const appended = async (): Promise<number> =>
    [...(await endOffsets(broker, FACTS_TOPIC)).values()].reduce((sum, end) => sum + end, 0)
  await waitFor(async () => (await appended()) >= facts, { timeoutMs: TIMEOUT_MS, what: 'all facts to be on the log' })
}

async function catchUp(sql: SqlDatabase, positions: string, when: 'beside' | 'after'): Promise<void> {
  const startedAtMs = performance.now()
  const progress = async (): Promise<{ stored: number; derived: number }> => {
    const [row] = await sql.query<{ stored: number; derived: number }>(
      `SELECT coalesce(sum(next_offset), 0)::float8 AS stored, coalesce(sum(derived_offset), 0)::float8 AS derived
       FROM ${positions} WHERE topic = $1`,
      [FACTS_TOPIC],
    )
    return row ?? { stored: 0, derived: 0 }
  }
  const backlog = facts - (await progress()).stored
  let storedAtMs = 0
  await waitFor(
    async () => {
      const { stored, derived } = await progress()
      if (storedAtMs === 0 && stored >= facts) storedAtMs = performance.now()
      return derived >= facts
    },
    { timeoutMs: TIMEOUT_MS, what: 'the ledger to catch up' },
  )
  const since = (atMs: number): string => ((atMs - startedAtMs) / 1_000).toFixed(1)
  console.log(
    `  ledger ${when} the chain: backlog ${backlog} of ${facts} facts when the last flow had ended; ` +
      `stored after ${since(storedAtMs)} s, every line up to date after ${since(performance.now())} s, load ${load()}`,
  )
}
