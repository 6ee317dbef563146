/** A copy of the project's contracts that a test may change. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CONTRACTS = join(import.meta.dirname, '..', '..', 'contracts')

/** A contracts folder with the schemas, history and topic table of the project; every topic has one partition. */
export interface ContractsCopy {
  readonly dir: string
  /** Contracts in it, those of the platform's own two topics included. */
  readonly count: number
  /** Replaces the JSON of a file by what `change` returns. */
  edit(path: string, change: (json: Readonly<Record<string, unknown>>) => unknown): void
  /** Adds a field to a record schema. */
  addField(path: string, field: object): void
  remove(): void
}

/** Copies the contracts to a temporary folder; `remove` it at the end of the test. */
export function copyContracts(): ContractsCopy {
  const dir = mkdtempSync(join(tmpdir(), 'laban-contracts-'))
  for (const name of ['avro', 'history', 'topics.json'])
    cpSync(join(CONTRACTS, name), join(dir, name), { recursive: true })
  const edit: ContractsCopy['edit'] = (path, change) => {
    const file = join(dir, path)
    const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    writeFileSync(file, JSON.stringify(change(json), null, 2))
  }
  edit('topics.json', (table) => ({ ...table, defaults: { partitions: 1 } }))
  const { topics } = JSON.parse(readFileSync(join(dir, 'topics.json'), 'utf8')) as { topics: object }
  return {
    dir,
    count: Object.keys(topics).length + 2,
    edit,
    addField: (path, field) =>
      edit(path, (schema) => ({ ...schema, fields: [...(schema['fields'] as object[]), field] })),
    remove: () => rmSync(dir, { recursive: true }),
  }
}
