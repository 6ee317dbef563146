/** The public entry point `laban/outbox`: agents and programs that own a PostgreSQL database. No logic. */
export * from './create-outbox.ts'
export type { Relay, RelayedEvent, RelayPublisher } from './relay.ts'
export type { SqlClient, SqlPool, SqlRow } from './sql.ts'
export type { TransactionContext } from './transaction-context.ts'
export type { TransactionalHandler } from './transactional.ts'
