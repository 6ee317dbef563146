/** Opens the log and the ledger's database for one command, and closes both. */
import {
  LabanError,
  localStackValues,
  openKafka,
  type Config,
  type Logger,
  type SqlDatabase,
  type Stack,
} from '../../runtime/internal.ts'
import { isMigrated, openLedger, type LedgerTables } from '../../services/ledger/index.ts'
import type { CommandContext } from '../command.ts'
import { commandLog } from '../target.ts'

/** What a command about the ledger works on. */
export interface LedgerOfCommand {
  readonly stack: Stack
  readonly database: SqlDatabase
  readonly tables: LedgerTables
  readonly config: Config
  readonly log: Logger
}

/** @throws LABAN_LEDGER_MISSING when none is configured or none was ever started; LABAN_LEDGER_UNAVAILABLE, LABAN_BROKER_UNAVAILABLE */
export async function openLedgerCommand<T>(
  context: CommandContext,
  work: (opened: LedgerOfCommand) => Promise<T>,
): Promise<T> {
  const { config } = await context.load(localStackValues())
  const log = commandLog()
  const open = await openLedger(config, log)
  if (open === undefined) {
    throw new LabanError('LABAN_LEDGER_MISSING', { problem: 'neither ledger.url nor ledger.dir is set' })
  }
  try {
    if (!(await isMigrated(open.database, open.tables))) {
      const problem = `${open.database.description} has no tables of it in schema ${open.tables.schemaName}`
      throw new LabanError('LABAN_LEDGER_MISSING', { problem })
    }
    const stack = await openKafka({ config, log })
    try {
      return await work({ ...open, stack, config, log })
    } finally {
      await stack.close()
    }
  } finally {
    await open.database.close()
  }
}
