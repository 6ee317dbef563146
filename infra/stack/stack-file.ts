/** Writes and reads `stack.json`: the addresses of the servers that run, for tests, the CLI and people. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerName, StackSettings } from './settings.ts'

/** Content of `stack.json`; a server that does not run has no address in it. */
export interface StackFile {
  readonly brokers?: readonly string[]
  readonly registryUrl?: string
  readonly redisUrl?: string
  readonly postgresUrl?: string
  readonly jaegerUrl?: string
  /** Base of OTLP over HTTP; traces go to `<url>/v1/traces`. */
  readonly otlpHttpUrl?: string
  readonly otlpGrpcUrl?: string
}

/** Path of the file. */
export function stackFilePath(stackDir: string): string {
  return join(stackDir, 'stack.json')
}

/** Replaces the file in one step by the addresses of these servers; removes it when there are none. */
export async function writeStackFile(
  settings: StackSettings,
  addresses: ReadonlyMap<ServerName, string>,
): Promise<void> {
  const path = stackFilePath(settings.stackDir)
  if (addresses.size === 0) return rm(path, { force: true })
  await mkdir(settings.stackDir, { recursive: true })
  await writeFile(`${path}.new`, `${JSON.stringify(stackFileOf(settings, addresses), null, 2)}\n`)
  await rename(`${path}.new`, path)
}

/** The addresses of the servers that run; undefined when none does. */
export async function readStackFile(stackDir: string): Promise<StackFile | undefined> {
  const text = await readFile(stackFilePath(stackDir), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as StackFile)
}

function stackFileOf({ host, ports }: StackSettings, addresses: ReadonlyMap<ServerName, string>): StackFile {
  const kafka = addresses.get('kafka')
  const jaegerUrl = addresses.get('jaeger')
  const urls = {
    registryUrl: addresses.get('registry'),
    redisUrl: addresses.get('redis'),
    postgresUrl: addresses.get('postgres'),
    jaegerUrl,
    otlpHttpUrl: jaegerUrl && `http://${host}:${ports.otlpHttp}`,
    otlpGrpcUrl: jaegerUrl && `http://${host}:${ports.otlpGrpc}`,
  }
  const known = Object.entries(urls).filter(([, url]) => url !== undefined)
  return { ...(kafka === undefined ? {} : { brokers: [kafka] }), ...(Object.fromEntries(known) as StackFile) }
}
