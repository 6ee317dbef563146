/** Starts a server that outlives the launcher, and ends it later by its recorded id, never one that is not ours. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseJson, readIdentity, type ProcessIdentity } from './process-identity.ts'
import type { ServerName } from './settings.ts'
import { StackError } from './stack-error.ts'

/** How to start a server's process. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  readonly uid?: number
  readonly gid?: number
  /** Text that its command line holds for certain, e.g. its data folder: proof that a process is this server. */
  readonly marker: string
}

/** What is kept of a started server. */
export interface DaemonRecord extends ProcessIdentity {
  readonly marker: string
  readonly address: string
  /** True once it has answered; its address is published from then on. */
  readonly isHealthy: boolean
}

/** Where the stack keeps a server's record. */
function recordPath(stackDir: string, name: ServerName): string {
  return join(stackDir, 'run', `${name}.json`)
}

/** The log that a server writes. */
export function logPath(stackDir: string, name: ServerName): string {
  return join(stackDir, 'logs', `${name}.log`)
}

/** The record of a server whose process still runs and is ours, or undefined. */
export async function findDaemon(stackDir: string, name: ServerName): Promise<DaemonRecord | undefined> {
  const text = await readFile(recordPath(stackDir, name), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const record = parseJson<DaemonRecord>(text)
  if (record === undefined) return undefined
  const current = await readIdentity(record.pid)
  const isOurs = current?.started === record.started && current.commandLine.includes(record.marker)
  return isOurs ? record : undefined
}

/** Starts a server detached, its output appended to its log. */
export async function startDaemon(
  stackDir: string,
  name: ServerName,
  launch: Launch,
  address: string,
): Promise<number> {
  const log = logPath(stackDir, name)
  const recordFile = recordPath(stackDir, name)
  await Promise.all([log, recordFile].map((path) => mkdir(dirname(path), { recursive: true })))
  const file = openSync(log, 'a')
  const { command, args, marker, ...rest } = launch
  const child = spawn(command, args, { ...rest, detached: true, stdio: ['ignore', file, file] })
  const failed = await new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve)
    child.once('spawn', () => resolve(undefined))
  })
  closeSync(file)
  if (failed !== undefined || child.pid === undefined) {
    throw new StackError(`${name}: ${command} cannot be started: ${failed?.message ?? 'no process id'}`, `See ${log}`)
  }
  child.unref()
  const identity = await readIdentity(child.pid)
  if (identity === undefined) throw new StackError(`${name} ended at once`, `See ${log}`)
  await writeRecord(recordFile, { ...identity, marker, address, isHealthy: false })
  return child.pid
}

/** Notes that a server has answered. */
export async function markHealthy(stackDir: string, name: ServerName): Promise<void> {
  const record = await findDaemon(stackDir, name)
  if (record !== undefined) await writeRecord(recordPath(stackDir, name), { ...record, isHealthy: true })
}

/** Ends a server: asks first, insists after `graceMs`. Gives false when it was not running. */
export async function stopDaemon(stackDir: string, name: ServerName, graceMs = 20_000): Promise<boolean> {
  const record = await findDaemon(stackDir, name)
  if (record !== undefined) {
    // PostgreSQL closes its connections only on SIGINT ("fast"); the others end on SIGTERM.
    process.kill(record.pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM')
    if (!(await hasEnded(stackDir, name, graceMs))) {
      process.kill(record.pid, 'SIGKILL')
      await hasEnded(stackDir, name, 5000)
    }
  }
  await rm(recordPath(stackDir, name), { force: true })
  return record !== undefined
}

async function writeRecord(path: string, record: DaemonRecord): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(record, null, 2))
  await rename(`${path}.new`, path)
}

async function hasEnded(stackDir: string, name: ServerName, limitMs: number): Promise<boolean> {
  const deadlineMs = Date.now() + limitMs
  while ((await findDaemon(stackDir, name)) !== undefined) {
    if (Date.now() > deadlineMs) return false
    await delay(50)
  }
  return true
}
