/**
 * The registry that needs no server: the contracts folder itself. Ids derive from the schema texts, so that every process that
 * reads the same files gives the same ids without any shared state.
 */
import { canonicalSchema } from './canonical-schema.ts'
import { checkFullTransitive } from './compatibility.ts'
import type { ContractSet } from './contract-set.ts'
import { subjectOf, type AvroSchema } from './contract.ts'
import { LabanError } from './errors.ts'
import type { RegisteredVersion, SchemaRegistry } from './registry.ts'
import { derivedSchemaId } from './schema-ids.ts'

/**
 * A registry over the current contracts and everything in their history. Subjects are found with or without a namespace in
 * front. What is registered beyond them is known to this process only.
 */
export function createFolderRegistry(contracts: ContractSet): SchemaRegistry {
  return new FolderRegistry(contracts)
}

class FolderRegistry implements SchemaRegistry {
  private readonly contracts: ContractSet
  private readonly byId = new Map<number, AvroSchema>()
  private readonly registered = new Map<string, RegisteredVersion[]>()

  constructor(contracts: ContractSet) {
    this.contracts = contracts
    for (const { name, schemaText, schema } of contracts.topics.values()) {
      this.byId.set(derivedSchemaId(schemaText), schema)
      for (const old of contracts.history(name)) this.byId.set(derivedSchemaId(old.schemaText), old.schema)
    }
  }

  schemaById(schemaId: number): Promise<AvroSchema> {
    const schema = this.byId.get(schemaId)
    if (schema !== undefined) return Promise.resolve(schema)
    return Promise.reject(new LabanError('LABAN_CONTRACT_UNKNOWN_SCHEMA', { schemaId }))
  }

  async lookup(subject: string, schemaText: string): Promise<number | undefined> {
    const schemaId = derivedSchemaId(schemaText)
    return (await this.versions(subject)).find((version) => version.schemaId === schemaId)?.schemaId
  }

  async register(subject: string, schemaText: string): Promise<number> {
    const known = await this.lookup(subject, schemaText)
    if (known !== undefined) return known
    const schema = parse(subject, schemaText)
    const versions = await this.versions(subject)
    const [first] = checkFullTransitive(schema, versions)
    if (first !== undefined) throw new LabanError('LABAN_CONTRACT_INCOMPATIBLE', { ...first, topic: topicOf(subject) })
    const schemaId = derivedSchemaId(schemaText)
    const version = { subject, version: versions.length + 1, schemaId, schema }
    this.byId.set(schemaId, schema)
    this.registered.set(subject, [...(this.registered.get(subject) ?? []), version])
    return schemaId
  }

  versions(subject: string): Promise<readonly RegisteredVersion[]> {
    const texts = this.folderTexts(subject)
    const fromFolder = texts.map(({ schema, schemaText }, index) => {
      return { subject, version: index + 1, schemaId: derivedSchemaId(schemaText), schema }
    })
    return Promise.resolve([...fromFolder, ...(this.registered.get(subject) ?? [])])
  }

  async incompatibilities(subject: string, schemaText: string): Promise<readonly string[]> {
    const found = checkFullTransitive(parse(subject, schemaText), await this.versions(subject))
    return found.map(({ version, direction, path, problem }) => `version ${version}, ${direction}, ${path}: ${problem}`)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** History, then the current contract unless it is the last of the history. */
  private folderTexts(subject: string): readonly { schema: AvroSchema; schemaText: string }[] {
    const name = this.topicFor(subject)
    if (name === undefined) return []
    const history = this.contracts.history(name)
    const current = this.contracts.get(name)
    return history.some(({ schemaText }) => schemaText === current.schemaText) ? history : [...history, current]
  }

  /** The topic of a subject: the longest name that it ends with. */
  private topicFor(subject: string): string | undefined {
    const names = [...this.contracts.topics.keys()].filter((name) => {
      return subject === subjectOf(name) || subject.endsWith(`.${subjectOf(name)}`)
    })
    return names.toSorted((left, right) => right.length - left.length)[0]
  }
}

function topicOf(subject: string): string {
  return subject.replace(/-value$/, '')
}

function parse(subject: string, schemaText: string): AvroSchema {
  const result = canonicalSchema(JSON.parse(schemaText), () => undefined)
  if ('schema' in result) return result.schema
  const { path, problem } = result
  throw new LabanError('LABAN_CONTRACT_INVALID', { file: `of subject ${subject}`, problem: `${path}: ${problem}` })
}
