/** Contracts for the page: what may be said on each topic, by whom, and how that came to be. */
import { AGENTS_TOPIC, FACTS_TOPIC, type AvroSchema, type TopicContract } from '../../contracts/index.ts'
import type { ContractLine, ContractPage, ContractVersion, FieldView } from '../api.ts'
import type { ConsoleContext } from './context.ts'
import { producedBy } from './topology.ts'

const PLATFORM_TOPICS: readonly string[] = [AGENTS_TOPIC, FACTS_TOPIC]
/** The platform keys these records itself. */
const AGENTS_KEY = 'agent and instance'

/** All contracts by name, those of the platform last. */
export function listContracts({ stack }: ConsoleContext): readonly ContractLine[] {
  return [...stack.contracts.topics.values()]
    .map((contract) => lineOf(contract, stack.contracts.history(contract.name).length))
    .sort((a, b) => Number(a.isPlatform) - Number(b.isPlatform) || (a.topic < b.topic ? -1 : 1))
}

/** One contract. @throws LABAN_CONTRACT_UNKNOWN_TOPIC */
export async function viewContract({ stack, source }: ConsoleContext, topic: string): Promise<ContractPage> {
  const contract = stack.contracts.get(topic)
  const manifests = await source.manifests()
  const released = stack.contracts.history(topic)
  const history = released.map(({ version, schema }, index) =>
    versionOf(`v${version}`, schema, released[index - 1]?.schema),
  )
  const names = (agents: readonly { readonly agent: string }[]): readonly string[] =>
    [...new Set(agents.map(({ agent }) => agent))].sort()
  return {
    line: lineOf(contract, released.length),
    file: contract.file.split('/').slice(-2).join('/'),
    doc: docOf(contract.schema),
    rules: contract.rules,
    maxRecordBytes: contract.maxRecordBytes,
    current: versionOf('now', contract.schema, released.at(-1)?.schema),
    history: history.reverse(),
    producers: names(manifests.filter((manifest) => producedBy(manifest).includes(topic))),
    consumers: names(manifests.filter((manifest) => manifest.consumes.includes(topic))),
  }
}

function lineOf(contract: TopicContract, versions: number): ContractLine {
  const { name, owner, keyField, partitions, retentionMs, cleanup, rules, schema } = contract
  return {
    topic: name,
    ...{ owner, partitions, retentionMs, cleanup, versions },
    keyField: name === AGENTS_TOPIC ? AGENTS_KEY : keyField,
    rules: rules.length,
    fields: fieldsOf(schema).length,
    isPlatform: PLATFORM_TOPICS.includes(name),
  }
}

function versionOf(name: string, schema: AvroSchema, before: AvroSchema | undefined): ContractVersion {
  const fields = fieldsOf(schema)
  const names = fields.map((field) => field.name)
  const old = before === undefined ? names : fieldsOf(before).map((field) => field.name)
  return {
    ...{ name, schema, fields },
    added: names.filter((field) => !old.includes(field)),
    removed: old.filter((field) => !names.includes(field)),
  }
}

function fieldsOf(schema: AvroSchema): readonly FieldView[] {
  if (!isRecord(schema) || !Array.isArray(schema['fields'])) return []
  return schema['fields'].filter(isRecord).map((field) => {
    const type = field['type'] as AvroSchema
    return { name: String(field['name']), type: typeText(type), doc: docOf(field), isOptional: 'default' in field }
  })
}

/** `string`, `string?`, `string[]`, `{string}`, `Name`, `a | b` for an enumeration. */
function typeText(type: AvroSchema): string {
  if (typeof type === 'string') return type
  if (Array.isArray(type)) {
    const others = type.filter((branch) => branch !== 'null') as AvroSchema[]
    return others.map(typeText).join(' | ') + (others.length < type.length ? '?' : '')
  }
  const { type: kind, items, values, symbols, name, logicalType } = type as Readonly<Record<string, unknown>>
  if (kind === 'array') return `${typeText(items as AvroSchema)}[]`
  if (kind === 'map') return `{${typeText(values as AvroSchema)}}`
  if (kind === 'enum') return (symbols as readonly string[]).join(' | ')
  if (logicalType !== undefined) return `${String(kind)} (${logicalType as string})`
  return typeof name === 'string' ? name : typeText(kind as AvroSchema)
}

function docOf(schema: unknown): string {
  return isRecord(schema) && typeof schema['doc'] === 'string' ? schema['doc'] : ''
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
