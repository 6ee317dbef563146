/**
 * TypeScript for contracts: one interface per record, string literals for enums, and the merge into `Events` that lets an agent
 * use topics without importing anything. Pure; the same contracts give the same text.
 */
import type { ContractSet } from './contract-set.ts'
import type { AvroSchema } from './contract.ts'
import { LabanError } from './errors.ts'

/** The generated file's text; the platform's own topics are left out, because agents do not speak on them. */
export function generateTypes(contracts: ContractSet): string {
  const types = new Map<string, Declaration>()
  const topics = [...contracts.topics.values()]
    .filter(({ name }) => !name.startsWith('laban.'))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
  const entries = topics.map(({ name, schema }) => `    '${name}': ${typeText(schema, types)}`)
  const declarations = [...types.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1))
  return [
    '// Generated from the contracts by `laban generate`. Do not edit: change the .avsc files and generate again.',
    '',
    ...declarations.flatMap(({ text }) => [text, '']),
    `declare module 'laban' {`,
    '  interface Events {',
    ...entries,
    '  }',
    '}',
    '',
  ].join('\n')
}

interface Declaration {
  readonly name: string
  readonly fullName: string
  text: string
}

type Declarations = Map<string, Declaration>

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Uint8Array',
}

/** TypeScript for a schema; named types are added to `types` and referred to. */
function typeText(schema: AvroSchema, types: Declarations): string {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? interfaceName(schema)
  if (isUnion(schema)) return unionText(schema, types)
  const { type } = schema
  if (type === 'array') return `readonly ${parenthesized(typeText(schema['items'] as AvroSchema, types))}[]`
  if (type === 'map') return `Readonly<Record<string, ${typeText(schema['values'] as AvroSchema, types)}>>`
  if (typeof schema['name'] === 'string') return namedText(schema, schema['name'], types)
  return typeText(type as AvroSchema, types)
}

function unionText(branches: readonly AvroSchema[], types: Declarations): string {
  const texts = branches.map((branch) => typeText(branch, types))
  return [...new Set([...texts.filter((text) => text !== 'null'), ...texts.filter((text) => text === 'null')])].join(
    ' | ',
  )
}

function namedText(schema: Readonly<Record<string, unknown>>, fullName: string, types: Declarations): string {
  const name = interfaceName(fullName)
  const other = types.get(name)
  if (other !== undefined && other.fullName === fullName) return name
  if (other !== undefined) {
    const problem = `${fullName} and ${other.fullName} would both be called ${name} in TypeScript`
    throw new LabanError('LABAN_CONTRACT_INVALID', { file: fullName, problem })
  }
  const declaration: Declaration = { name, fullName, text: '' }
  types.set(name, declaration)
  declaration.text = docText(schema['doc'], '') + declarationText(schema, name, types)
  return name
}

function declarationText(schema: Readonly<Record<string, unknown>>, name: string, types: Declarations): string {
  if (schema['type'] === 'enum') {
    const symbols = (schema['symbols'] as readonly string[]).map((symbol) => `'${symbol}'`)
    return `export type ${name} = ${symbols.join(' | ')}`
  }
  if (schema['type'] === 'fixed') return `export type ${name} = Uint8Array`
  const fields = schema['fields'] as readonly { name: string; type: AvroSchema; doc?: string }[]
  const lines = fields.map(
    (field) => `${docText(field.doc, '  ')}  readonly ${field.name}: ${typeText(field.type, types)}`,
  )
  return [`export interface ${name} {`, ...lines, '}'].join('\n')
}

function docText(doc: unknown, indent: string): string {
  if (typeof doc !== 'string' || doc === '') return ''
  return `${indent}/** ${doc.replaceAll('*/', '*\\/').replaceAll(/\s+/g, ' ')} */\n`
}

/** `credit.ScoreCalculated` as `CreditScoreCalculated`. */
function interfaceName(fullName: string): string {
  return fullName
    .split(/[._]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
}

function parenthesized(text: string): string {
  return text.includes(' | ') ? `(${text})` : text
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema)
}
