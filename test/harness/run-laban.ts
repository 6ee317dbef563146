/** Runs the real executable as a process, with a clean LABAN_* environment, and gives back everything it said. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'laban.js')

/** How to run it. */
export interface RunOptions {
  /** @default the project folder */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Text for stdin, which is closed afterwards. */
  readonly input?: string
  /** @default the Node of this process */
  readonly node?: string
  /** Script to run. @default the project's own */
  readonly bin?: string
}

/** What one run said and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A process that runs, with what it has said so far. */
export interface Running {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  readonly ended: Promise<Ended>
}

/** Starts `laban <args>` and returns at once. */
export function startLaban(args: readonly string[], options: RunOptions = {}): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LABAN_') && name !== 'FORCE_COLOR')
  const child = spawn(options.node ?? process.execPath, [options.bin ?? BIN, ...args], {
    cwd: options.cwd ?? join(BIN, '..', '..'),
    env: { ...Object.fromEntries(inherited), ...options.env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // A process that ends before it has read its input is a result to look at, not a failure of the harness.
  child.stdin.on('error', () => undefined).end(options.input ?? '')
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
  return { child, stdout: () => stdout, stderr: () => stderr, ended }
}

/** Runs `laban <args>` to its end. */
export function runLaban(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return startLaban(args, options).ended
}

/** A folder of its own, outside the checkout, removed when the test has ended; call it inside a test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'laban-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
