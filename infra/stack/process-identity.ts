/** Tells whether a recorded process id still means the same process: ids are reused, start times and command lines are not. */
import { readFile } from 'node:fs/promises'
import { run } from './shell.ts'

/** What is remembered of a process. */
export interface ProcessIdentity {
  readonly pid: number
  /** Start time in the kernel's own words; only compared, never interpreted. */
  readonly started: string
  readonly commandLine: string
}

/** Identity of a living process, or undefined when there is none (a zombie counts as none). */
export async function readIdentity(pid: number): Promise<ProcessIdentity | undefined> {
  if (process.platform !== 'linux') return readIdentityFromPs(pid)
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ])
    // The second field is the program's name in brackets and may hold spaces: count fields after its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const started = fields[19]
    if (fields[0] === 'Z' || started === undefined) return undefined
    return { pid, started, commandLine: commandLine.replaceAll('\0', ' ').trim() }
  } catch {
    return undefined
  }
}

/** A value that this launcher wrote, or undefined when a crash left only half of it. */
export function parseJson<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

async function readIdentityFromPs(pid: number): Promise<ProcessIdentity | undefined> {
  const text = await run('ps', ['-p', String(pid), '-o', 'lstart=,command=']).catch(() => '')
  const line = text.trim()
  return line === '' ? undefined : { pid, started: line.slice(0, 24), commandLine: line.slice(24).trim() }
}
