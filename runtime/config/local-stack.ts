/** Addresses of the local stack that `npm run stack -- up` started: used where a person has configured nothing else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `<stateDir>/stack/stack.json` holds. */
interface StackFile {
  readonly brokers?: readonly string[]
  readonly registryUrl?: string
  readonly redisUrl?: string
  readonly postgresUrl?: string
  readonly jaegerUrl?: string
  readonly otlpHttpUrl?: string
}

/** Configuration values for a running local stack; undefined when none is recorded below `cwd`. */
export function localStackValues(cwd = process.cwd()): { origin: string; values: Record<string, unknown> } | undefined {
  const origin = join('.laban', 'stack', 'stack.json')
  const file = readStackFile(join(cwd, origin))
  if (file?.brokers === undefined) return undefined
  const values = {
    brokers: file.brokers,
    ...(file.registryUrl === undefined ? {} : { registry: { url: file.registryUrl } }),
    ...(file.redisUrl === undefined ? {} : { redis: { url: file.redisUrl } }),
    ...(file.postgresUrl === undefined ? {} : { ledger: { url: file.postgresUrl } }),
    tracing: {
      ...(file.otlpHttpUrl === undefined ? {} : { otlpUrl: file.otlpHttpUrl }),
      ...(file.jaegerUrl === undefined ? {} : { jaegerUrl: file.jaegerUrl }),
    },
  }
  return { origin, values }
}

function readStackFile(file: string): StackFile | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StackFile
  } catch {
    return undefined
  }
}
