/** Shows a configuration to people: every key with its value and origin, nothing secret. */
import { CONFIG_KEYS, type ConfigKey } from './keys.ts'
import type { LoadedConfig } from './load.ts'
import { redactUrl, Secret } from './secret.ts'

/** One line of `laban config print`. */
export interface DescribedValue {
  readonly path: string
  /** JSON-ready and redacted; null when the key has no value. */
  readonly value: unknown
  readonly origin: string
  readonly description: string
}

/** All keys in the order of the schema. */
export function describeConfig({ config, origins }: LoadedConfig): DescribedValue[] {
  return CONFIG_KEYS.map((key) => ({
    path: key.path,
    value: redact(key, valueAt(config, key.path)),
    origin: origins.get(key.path) ?? 'default',
    description: key.description,
  }))
}

function redact(key: ConfigKey, value: unknown): unknown {
  if (value === undefined) return null
  if (value instanceof Secret) return value.toJSON()
  return key.isUrl === true && typeof value === 'string' ? redactUrl(value) : value
}

function valueAt(config: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined,
      config,
    )
}
