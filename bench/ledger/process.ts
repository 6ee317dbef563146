/** One `laban ledger run` as a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuMsOf } from './cpu-time.ts'

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'laban.js')

/** See the file's head. */
export class LedgerProcess {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** `settings` are environment variables `LABAN_*`. */
  static start(settings: Readonly<Record<string, string>>): LedgerProcess {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LABAN_'))
    const child = spawn(process.execPath, ['--max-semi-space-size=64', BIN, 'ledger', 'run'], {
      env: { ...Object.fromEntries(inherited), ...settings },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    return new LedgerProcess(child)
  }

  /** CPU per fact, and the most memory that it ever held. */
  cost(facts: number): string {
    const pid = this.#child.pid ?? 0
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const peakMb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024
    return `${((cpuMsOf(pid) * 1_000) / facts).toFixed(1)} µs CPU per fact, peak ${peakMb.toFixed(0)} MB`
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    await ended
  }
}
