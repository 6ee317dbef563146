/** A database that loses transactions when it is told to, and work that lives with it. */
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import type { SqlDatabase } from '../../runtime/ports/sql.ts'

/** `lose` is for the next transaction: before nothing of it is written, after all of it, and nobody hears so. */
export interface LossyDatabase extends SqlDatabase {
  lose: 'before' | 'after' | undefined
}

/** Leaves the real one open when it is closed. */
export function lossy(real: SqlDatabase): LossyDatabase {
  const wrapped = {
    description: real.description,
    lose: undefined as 'before' | 'after' | undefined,
    query: real.query.bind(real),
    script: real.script.bind(real),
    close: () => Promise.resolve(),
    async transaction<T>(body: Parameters<typeof real.transaction<T>>[0]): Promise<T> {
      const { lose } = wrapped
      wrapped.lose = undefined
      const gone = new LabanError('LABAN_LEDGER_UNAVAILABLE', { url: 'test', problem: `lost ${lose} the commit` })
      if (lose === 'before') throw gone
      const result = await real.transaction(body)
      if (lose === 'after') throw gone
      return result
    },
  }
  return wrapped
}

/** Does a piece of work; an error that another try may mend is no error. */
export async function tolerant(piece: () => Promise<unknown>): Promise<void> {
  try {
    await piece()
  } catch (error) {
    if (!isLabanError(error) || error.errorClass !== 'retry') throw error
  }
}
