/**
 * The archive through the real executable: one of two ledgers dies while it archives, the topic forgets, and `laban flow --bodies` still
 * says what the event said and where that comes from, until it is erased.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { physicalTopic } from '../../contracts/contract.ts'
import { createPostgresDatabase } from '../../runtime/adapters/postgres/database.ts'
import { logFlowSource } from '../../runtime/internal.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import type { SqlDatabase } from '../../runtime/ports/sql.ts'
import {
  defaultSchema,
  dropTables,
  ledgerStatus,
  ledgerTables,
  type LedgerStatus,
  type LedgerTables,
} from '../../services/ledger/index.ts'
import { copyContracts, type ContractsCopy } from '../harness/contracts-copy.ts'
import { forgetRecords } from '../harness/kafka-forget.ts'
import { Deployment, type OpenLog } from '../harness/processes.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { waitFor } from '../harness/wait.ts'

const TOPIC = 'credit.application-received'
const SAMPLE = join(import.meta.dirname, '..', '..', 'services', 'credit', 'sample', 'applications.csv')

let copy: ContractsCopy
let deployment: Deployment
let log: OpenLog
let database: SqlDatabase
let tables: LedgerTables
let brokers: readonly string[]

beforeAll(async () => {
  const url = await stackAddress('postgresUrl')
  database = createPostgresDatabase({ url, logger: silentLogger })
  brokers = await stackAddress('brokers')
  copy = copyContracts()
  copy.edit('topics.json', (table) => {
    const topics = table['topics'] as Readonly<Record<string, object>>
    return { ...table, topics: { ...topics, [TOPIC]: { ...topics[TOPIC], archive: '400d' } } }
  })
  copy.edit('avro/credit/application-received.avsc', (schema) => ({
    ...schema,
    fields: (schema['fields'] as { readonly name: string }[]).map((field) =>
      field.name === 'purpose' ? { ...field, pii: true } : field,
    ),
  }))
  deployment = await Deployment.make('archive-real', {
    agents: [join('services', 'credit', 'credit-score.ts')],
    contractsDir: copy.dir,
    env: { LABAN_LEDGER_URL: url },
  })
  log = await deployment.open()
  tables = ledgerTables(defaultSchema(deployment.namespace))
}, 120_000)

afterAll(async () => {
  await deployment.stop()
  await log.close()
  copy.remove()
  await dropTables(database, tables)
  await database.close()
}, 90_000)

const status = (): Promise<LedgerStatus> => ledgerStatus({ database, tables, broker: log.broker, clock: systemClock })

describe('the archive', { timeout: 120_000 }, () => {
  let id = ''

  it('has all records once, although a ledger was killed, and shows them when the topic has forgotten them', async () => {
    const ledgers = [deployment.startLedger(), deployment.startLedger()]
    await Promise.all(ledgers.map(({ ready }) => ready))
    const published = deployment.laban(['publish', TOPIC, '--file', SAMPLE, '--id', 'applicationId'])
    await ledgers[0]?.end('SIGKILL')
    expect((await published).code).toBe(0)
    const { endOffset } = (await log.broker.admin.offsets(TOPIC))[0] ?? { endOffset: 0 }
    expect(endOffset).toBeGreaterThan(10)
    const archived = await waitFor(
      async () => {
        const { archive, partitions } = await status()
        return archive[0]?.lagRecords === 0 && partitions.every(({ lagFacts }) => lagFacts === 0) && archive[0]
      },
      { timeoutMs: 60_000, what: 'everything to be archived' },
    )
    const figures = await (await fetch(`http://${ledgers[1]?.address()}/metrics`)).text()
    expect(figures).toContain(`laban_ledger_archive_lag{topic="${TOPIC}"} 0`)
    expect(figures).toContain('laban_ledger_lost_total 0')
    const agents = await deployment.laban(['agents'])
    expect(agents.stdout).toMatch(/laban\.ledger \(platform\) .* laban\.facts, laban\.agents -> nothing/)
    expect(archived).toMatchObject({ topic: TOPIC, records: endOffset, keepMs: 400 * 86_400_000 })

    const { flows } = await logFlowSource(log).search({ limit: 1 })
    id = flows[0]?.flowId ?? ''
    const before = await deployment.laban(['flow', id, '--bodies', '--on', 'kafka'])
    expect(before.stdout).toContain('"purpose": "*** credit.LoanPurpose"')
    expect(before.stdout).not.toContain('from the archive')
    await forgetRecords(brokers, physicalTopic(TOPIC, deployment.namespace), { partition: 0, offset: endOffset })

    const after = await deployment.laban(['flow', id, '--bodies', '--on', 'kafka'])
    expect(after.stdout.replace(/.*from the archive:\n/, '')).toBe(before.stdout)
    expect(after.stdout).toContain('from the archive:')
    const rebuilt = await deployment.laban(['ledger', 'rebuild'])
    expect(rebuilt.code, rebuilt.stderr).toBe(0)
    expect((await status()).archive).toEqual([archived])
  })

  it('is erased by a command', async () => {
    const { stdout, code } = await deployment.laban(['ledger', 'erase', id])
    expect({ stdout, code }).toEqual({ stdout: `${TOPIC}: 1 records\nerased 1 records\n`, code: 0 })
    const shown = await deployment.laban(['flow', id, '--bodies', '--on', 'kafka'])
    expect(shown.stdout).toContain('body expired: its topic begins at offset')
  })
})
