/** Reads each source of configuration into entries that know their key and origin. An unknown key is an error in every source. */
import { LabanError } from '../../contracts/errors.ts'
import { didYouMean } from '../../contracts/nearest-name.ts'
import { CONFIG_KEYS, KEYS_BY_PATH, type ConfigKey } from './keys.ts'

/** One value from one source, not yet checked against the schema. */
export interface ConfigEntry {
  readonly path: string
  readonly value: unknown
  /** For people: `laban.config.json`, `LABAN_BROKERS`, `--set brokers`. */
  readonly origin: string
  /** Folder that a relative path in this value starts from. */
  readonly baseDir: string
}

/** Environment variables with our prefix that are not configuration keys: where the file is, and what belongs to other programs. */
const OTHER_VARIABLES = /^LABAN_(CONFIG$|CACHE_DIR$|STACK_|TEST_)/
/** What Kubernetes injects for a service whose name begins with `laban`. */
const SERVICE_LINKS = /^LABAN_([A-Z0-9_]+_)?(SERVICE_(HOST|PORT)|PORT)(_|$)/

/** Names of the variables, secrets also as `<NAME>_FILE`. */
const VARIABLES = new Map<string, { key: ConfigKey; isFile: boolean }>(
  CONFIG_KEYS.flatMap((key) => [
    [key.variable, { key, isFile: false }],
    ...(key.isSecret === true ? [[`${key.variable}_FILE`, { key, isFile: true }] satisfies [string, object]] : []),
  ]),
)

/** Entries of a parsed JSON file. `${NAME}` in its texts stands for an environment variable, which must be set. */
export function entriesOfFile(
  content: unknown,
  source: { origin: string; baseDir: string },
  environment: NodeJS.ProcessEnv,
): ConfigEntry[] {
  if (!isPlainObject(content)) throw invalid('(file)', source.origin, 'must be a JSON object')
  const { $schema: _editorHint, ...values } = content
  return flatten(values, '', source, environment)
}

/** Entries of the environment: `LABAN_<KEY>`, lists separated by commas. */
export function entriesOfEnvironment(environment: NodeJS.ProcessEnv, baseDir: string): ConfigEntry[] {
  const entries: ConfigEntry[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('LABAN_') || text === undefined) continue
    const known = VARIABLES.get(variable)
    if (known === undefined) {
      if (OTHER_VARIABLES.test(variable) || SERVICE_LINKS.test(variable)) continue
      throw unknownKey(variable, 'the environment', VARIABLES.keys())
    }
    const { key, isFile } = known
    const value = isFile ? { file: text } : parseText(key, text, variable)
    entries.push({ path: key.path, value, origin: variable, baseDir })
  }
  return entries
}

/** Entries of flags, by path. */
export function entriesOfFlags(flags: Readonly<Record<string, string>>, baseDir: string): ConfigEntry[] {
  return Object.entries(flags).map(([path, text]) => {
    const key = KEYS_BY_PATH.get(path)
    if (key === undefined) throw unknownKey(path, 'the command line', KEYS_BY_PATH.keys())
    const origin = `--set ${path}`
    return { path, value: parseText(key, text, origin), origin, baseDir }
  })
}

function flatten(
  values: Readonly<Record<string, unknown>>,
  prefix: string,
  source: { origin: string; baseDir: string },
  environment: NodeJS.ProcessEnv,
): ConfigEntry[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    if (KEYS_BY_PATH.has(path)) {
      return [{ path, value: resolveReferences(value, path, source.origin, environment), ...source }]
    }
    if (!CONFIG_KEYS.some((key) => key.path.startsWith(`${path}.`))) {
      throw unknownKey(path, source.origin, KEYS_BY_PATH.keys())
    }
    if (!isPlainObject(value)) throw invalid(path, source.origin, 'must be an object')
    return flatten(value, path, source, environment)
  })
}

function parseText(key: ConfigKey, text: string, origin: string): unknown {
  switch (key.kind) {
    case 'number':
      if (text.trim() === '' || Number.isNaN(Number(text)))
        throw invalid(key.path, origin, `must be a number, not "${text}"`)
      return Number(text)
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw invalid(key.path, origin, `must be true or false, not "${text}"`)
      return text === 'true'
    case 'list':
      return text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
    case 'string':
    case 'choice':
    case 'secret':
      return text
  }
}

/** Replaces `${NAME}` in texts. An unset name is an error: an empty password that nobody asked for is the worst default. */
function resolveReferences(value: unknown, path: string, origin: string, environment: NodeJS.ProcessEnv): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => resolveReferences(item, path, origin, environment))
  if (typeof value !== 'string') return value
  return value.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const text = environment[name]
    if (text === undefined) throw invalid(path, origin, `refers to \${${name}}, which is not set`)
    return text
  })
}

/** LABAN_CONFIG_INVALID for one value. */
export function invalid(path: string, origin: string, problem: string, cause?: unknown): LabanError {
  return new LabanError('LABAN_CONFIG_INVALID', { path, origin, problem }, { cause })
}

function unknownKey(path: string, origin: string, known: Iterable<string>): LabanError {
  return new LabanError('LABAN_CONFIG_UNKNOWN_KEY', { path, origin, hint: didYouMean(path, known) })
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
