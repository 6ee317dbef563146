/** The keys of the configuration, read off the schema, with everything that sources and documentation need to know about them. */
import type * as z from 'zod'
import { configSchema, type KeyMeta } from './schema.ts'

/** What text from the environment or a flag becomes. */
export type KeyKind = 'string' | 'number' | 'boolean' | 'choice' | 'list' | 'secret'

/** One leaf of the configuration. */
export interface ConfigKey extends KeyMeta {
  /** Dotted, for example `kafka.sessionTimeoutMs`. */
  readonly path: string
  readonly kind: KeyKind
  readonly description: string
  /** Environment variable, for example `LABAN_KAFKA_SESSION_TIMEOUT_MS`. */
  readonly variable: string
  /** Undefined when the key has no default. */
  readonly defaultValue: unknown
  readonly choices: readonly string[]
}

interface Definition {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly entries?: Readonly<Record<string, string>>
}

const KINDS: Readonly<Record<string, KeyKind>> = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  enum: 'choice',
  array: 'list',
}

/** All keys in the order of the schema. */
export const CONFIG_KEYS: readonly ConfigKey[] = collect(configSchema, '')

/** All keys by path. */
export const KEYS_BY_PATH: ReadonlyMap<string, ConfigKey> = new Map(CONFIG_KEYS.map((key) => [key.path, key]))

/** Environment variable of a path. */
export function variableOf(path: string): string {
  return `LABAN_${path.replaceAll('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase()}`
}

function collect(schema: z.ZodType, path: string): ConfigKey[] {
  const { core } = unwrap(schema)
  const { shape } = definitionOf(core)
  if (shape === undefined) return [describeLeaf(schema, path)]
  return Object.entries(shape).flatMap(([name, child]) => collect(child, path === '' ? name : `${path}.${name}`))
}

function describeLeaf(schema: z.ZodType, path: string): ConfigKey {
  const { core, isOptional } = unwrap(schema)
  const definition = definitionOf(core)
  const { description = '', ...meta } = (schema.meta() ?? {}) as KeyMeta & { description?: string }
  return {
    ...meta,
    path,
    kind: meta.isSecret === true ? 'secret' : (KINDS[definition.type] ?? 'string'),
    description,
    variable: variableOf(path),
    defaultValue: isOptional ? undefined : schema.parse(undefined),
    choices: Object.values(definition.entries ?? {}),
  }
}

/** The schema without its default and optional wrappers. */
function unwrap(schema: z.ZodType): { core: z.ZodType; isOptional: boolean } {
  let core = schema
  let isOptional = false
  for (;;) {
    const { type, innerType } = definitionOf(core)
    if (innerType === undefined) return { core, isOptional }
    isOptional ||= type === 'optional'
    core = innerType
  }
}

function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def
}
