/** PGlite: PostgreSQL inside this process, its files in one folder. One process uses a folder at a time. */
import { PGlite, type Transaction } from '@electric-sql/pglite'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describeUnknown, isLabanError, LabanError } from '../../../contracts/errors.ts'
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from '../../ports/sql.ts'

/** Opens the folder and makes it when it is not there; without one the database lives in memory. @throws LABAN_LEDGER_UNAVAILABLE */
export async function openPgliteDatabase(dir?: string): Promise<SqlDatabase> {
  const where = dir ?? 'memory'
  return await guarded(where, async () => {
    if (dir !== undefined) await mkdir(dirname(dir), { recursive: true })
    return new PgliteDatabase(await PGlite.create(dir === undefined ? {} : { dataDir: dir }), where)
  })
}

class PgliteDatabase implements SqlDatabase {
  readonly description: string
  readonly #database: PGlite
  readonly #where: string
  #closing: Promise<void> | undefined

  constructor(database: PGlite, where: string) {
    this.#database = database
    this.#where = where
    this.description = `PGlite in ${where}`
  }

  query<Row extends SqlRow>(text: string, values: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return guarded(this.#where, () => run<Row>(this.#database, text, values))
  }

  script(text: string): Promise<void> {
    return guarded(this.#where, async () => void (await this.#database.exec(text)))
  }

  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const where = this.#where
    return this.#database.transaction((transaction) =>
      work({
        query: (text, values = []) => guarded(where, () => run(transaction, text, values)),
        script: (text) => guarded(where, async () => void (await transaction.exec(text))),
      }),
    )
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#database.close())
  }
}

/** Types of the arrays that come as Buffers in PostgreSQL's binary form: bool, bytea, int4, text, int8, float8, timestamptz, uuid. */
const ARRAY_OIDS = [1000, 1001, 1007, 1009, 1016, 1022, 1185, 2951]
const BYTEA_OID = 17
const OPTIONS = {
  // What is bytes already goes as it is.
  serializers: Object.fromEntries(ARRAY_OIDS.map((oid) => [oid, (value: unknown) => value as string])),
  parsers: { [BYTEA_OID]: (text: string) => Buffer.from(text.slice('\\x'.length), 'hex') },
}

async function run<Row extends SqlRow>(
  database: PGlite | Transaction,
  text: string,
  values: readonly SqlValue[],
): Promise<readonly Row[]> {
  const { rows } = await database.query<Row>(text, [...values], OPTIONS)
  return rows
}

async function guarded<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isLabanError(error)) throw error
    throw new LabanError('LABAN_LEDGER_UNAVAILABLE', { url: where, problem: describeUnknown(error) }, { cause: error })
  }
}
