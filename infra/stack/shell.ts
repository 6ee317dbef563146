/** Runs programs to their end, keeping what they print for the error message. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { StackError } from './stack-error.ts'

/** How to run a program. */
export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly uid?: number
  readonly gid?: number
  /** What the person should do when it fails. */
  readonly remedy?: string
}

/**
 * Runs a program and gives what it printed.
 * @throws StackError with the last lines when it fails or cannot be started.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { remedy = 'See the output above.', ...rest } = options
  const child = spawn(command, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const outcome = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `ended with ${signal ?? String(code)}`))
  })
  const output = Buffer.concat(chunks).toString()
  if (outcome === undefined) return output
  throw new StackError(`${[command, ...args].join(' ').slice(0, 300)}: ${outcome}`, remedy, lastLines(output, 15))
}

/** The last lines of a text. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}

/** Full path of a program on PATH (or in extra folders), or undefined. */
export function findProgram(name: string, extraDirs: readonly string[] = []): string | undefined {
  const dirs = [...extraDirs, ...(process.env['PATH'] ?? '').split(delimiter)].filter((dir) => dir !== '')
  return dirs.map((dir) => join(dir, name)).find(isExecutable)
}

/** Prints one line for the person. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
