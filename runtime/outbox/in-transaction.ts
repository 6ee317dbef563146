/** Runs work in one transaction of PostgreSQL: all of it is kept, or nothing. */
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import type { SqlClient, SqlPool } from './sql.ts'

/** What PostgreSQL says of a table or schema that is not there. */
const MISSING: ReadonlySet<unknown> = new Set(['42P01', '3F000'])

/**
 * Commits when `work` resolves, rolls back when it rejects. Locks are waited for at most `lockTimeoutMs`, so that nobody waits for
 * the transaction of a process that stands still. An error of the commit itself leaves open whether it was kept.
 * @throws what `work` throws; LABAN_OUTBOX_MISSING
 */
export async function inTransaction<C extends SqlClient, T>(
  pool: SqlPool<C>,
  lockTimeoutMs: number,
  work: (client: C) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = ${Math.ceil(lockTimeoutMs)}`)
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch((reason: unknown) => {
      broken = reason instanceof Error ? reason : new LabanError('LABAN_INVARIANT', { problem: String(reason) })
    })
    throw translated(error)
  } finally {
    client.release(broken)
  }
}

/** An error of PostgreSQL that has a remedy of ours. */
export function translated(error: unknown): unknown {
  if (isLabanError(error) || !(error instanceof Error) || !('code' in error) || !MISSING.has(error.code)) return error
  return new LabanError('LABAN_OUTBOX_MISSING', { problem: error.message }, { cause: error })
}
