/**
 * Loads the configuration: default < a local stack < laban.config.json < LABAN_* < flags or the program itself. The only reader
 * of `process.env`, and the keeper of where every value came from.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type * as z from 'zod'
import { CONFIG_KEYS, type ConfigKey } from './keys.ts'
import { configSchema, type Config, type ConfigInput } from './schema.ts'
import { entriesOfEnvironment, entriesOfFile, entriesOfFlags, invalid, type ConfigEntry } from './sources.ts'

/** Name of the file that is looked for in the working directory. */
export const CONFIG_FILE = 'laban.config.json'

/** Where to look; everything has a default. */
export interface LoadOptions {
  /** @default the working directory of the process */
  readonly cwd?: string
  /** @default the environment of the process */
  readonly environment?: NodeJS.ProcessEnv
  /** Path of the file. @default LABAN_CONFIG, else laban.config.json when it exists */
  readonly configFile?: string | undefined
  /** Values from the command line: key path to text, for example `{ 'http.port': '8080' }`. */
  readonly flags?: Readonly<Record<string, string>>
  /** Values given in code, shaped like the file; relative paths start from `cwd`. They count more than anything else. */
  readonly overrides?: ConfigInput | undefined
  /** Values that count more than defaults and less than anything a person configured, for example a local stack's addresses. */
  readonly fallback?: { readonly origin: string; readonly values: Readonly<Record<string, unknown>> } | undefined
}

/** A configuration and where it came from. */
export interface LoadedConfig {
  readonly config: Config
  /** Key path to origin: `default`, `laban.config.json`, `LABAN_BROKERS`, `--set brokers`. Every known key has one. */
  readonly origins: ReadonlyMap<string, string>
  /** Folder that relative paths and the globs of `agents` start from: the file's, else the working directory. */
  readonly baseDir: string
}

/**
 * Loads and checks the configuration.
 * @throws LABAN_CONFIG_UNKNOWN_KEY naming path, origin and the nearest key; LABAN_CONFIG_INVALID naming path and origin
 */
export function loadConfig(options: LoadOptions = {}): LoadedConfig {
  const cwd = options.cwd ?? process.cwd()
  const environment = options.environment ?? process.env
  const file = findFile(cwd, options.configFile ?? environment['LABAN_CONFIG'])
  const baseDir = file === undefined ? cwd : dirname(file)
  const entries = [
    ...(options.fallback === undefined
      ? []
      : entriesOfFile(options.fallback.values, { origin: options.fallback.origin, baseDir }, environment)),
    ...(file === undefined ? [] : entriesOfFile(readJson(file), { origin: file, baseDir }, environment)),
    ...entriesOfEnvironment(environment, cwd),
    ...entriesOfFlags(options.flags ?? {}, cwd),
    ...entriesOfFile(options.overrides ?? {}, { origin: 'the program', baseDir: cwd }, environment),
  ]
  return { ...check(entries, baseDir), baseDir }
}

function check(entries: readonly ConfigEntry[], baseDir: string): Omit<LoadedConfig, 'baseDir'> {
  const input: Record<string, unknown> = {}
  const origins = new Map(CONFIG_KEYS.map((key) => [key.path, 'default']))
  for (const entry of [...pathDefaults(baseDir), ...entries]) {
    setAt(input, entry.path.split('.'), makeAbsolute(entry))
    origins.set(entry.path, entry.origin)
  }
  const result = configSchema.safeParse(input)
  if (!result.success) throw explain(result.error.issues, origins)
  return { config: result.data, origins }
}

/** Defaults that are paths, as entries, so that they too become absolute. */
function pathDefaults(baseDir: string): ConfigEntry[] {
  return CONFIG_KEYS.filter((key) => key.isPath === true && key.defaultValue !== undefined).map((key) => ({
    path: key.path,
    value: key.defaultValue,
    origin: 'default',
    baseDir,
  }))
}

function makeAbsolute({ path, value, baseDir }: ConfigEntry): unknown {
  const key = CONFIG_KEYS.find((candidate) => candidate.path === path)
  if (key?.isPath === true && typeof value === 'string' && value !== '') return resolve(baseDir, value)
  if (key?.isSecret === true && isFileReference(value)) return { ...value, file: resolve(baseDir, value.file) }
  return value
}

function isFileReference(value: unknown): value is { file: string } {
  return typeof value === 'object' && value !== null && 'file' in value && typeof value.file === 'string'
}

function findFile(cwd: string, given: string | undefined): string | undefined {
  if (given !== undefined) return resolve(cwd, given)
  const file = resolve(cwd, CONFIG_FILE)
  return existsSync(file) ? file : undefined
}

function readJson(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw invalid('(file)', file, 'cannot be read', error)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid('(file)', file, `is not JSON: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

/** One error for all problems: the first one in full, the others named after it. */
function explain(
  issues: readonly z.core.$ZodIssue[],
  origins: ReadonlyMap<string, string>,
): ReturnType<typeof invalid> {
  const problems = issues.map((issue) => {
    const key = keyOf(issue)
    return {
      path: issue.path.join('.'),
      origin: origins.get(key?.path ?? '') ?? 'default',
      text: issue.message.replace(/^Invalid (input|option): /, ''),
    }
  })
  const [first = { path: '(all)', origin: 'default', text: 'is invalid' }, ...rest] = problems
  const others = rest.map((problem) => `; ${problem.path} from ${problem.origin}: ${problem.text}`).join('')
  return invalid(first.path, first.origin, first.text + others)
}

/** The key an issue is about; an issue inside a list points below it. */
function keyOf(issue: z.core.$ZodIssue): ConfigKey | undefined {
  const path = issue.path.join('.')
  return CONFIG_KEYS.find((key) => path === key.path || path.startsWith(`${key.path}.`))
}

function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path
  if (rest.length === 0) {
    target[name] = value
    return
  }
  const child = (target[name] ?? {}) as Record<string, unknown>
  target[name] = child
  setAt(child, rest, value)
}
