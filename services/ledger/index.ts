/** Entry point of the ledger, for the command line and the console: opening it, reading flows from it, running it. No logic. */
export { archivedOf, eraseArchived, ledgerArchive, type ArchivedTopic } from './archive-rows.ts'
export { openEmbeddedLedger, type EmbeddedLedger } from './embedded-ledger.ts'
export { Ledger, LEDGER_GROUP, type LedgerOptions } from './ledger.ts'
export { openLastingFlowSource } from './lasting-flow-source.ts'
export { ledgerFlowSource, type LedgerFlowSourceOptions } from './ledger-flow-source.ts'
export {
  archivedTopics,
  createLedger,
  openFlowSource,
  openLedger,
  type OpenFlowSource,
  type OpenLedger,
} from './open-ledger.ts'
export { ledgerStatus, type LedgerStatus, type PartitionStatus, type StatusSources } from './status.ts'
export {
  defaultSchema,
  dropTables,
  emptyTables,
  isMigrated,
  ledgerTables,
  migrate,
  type LedgerTables,
} from './tables.ts'
