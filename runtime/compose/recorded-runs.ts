/** Embedded runs on disk: a run writes its log to a file of its own below the state folder, and can be read back from it afterwards. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { MemoryBroker } from '../adapters/memory/broker.ts'
import { openEmbedded, type Stack, type StackOptions } from '../compose.ts'
import { systemClock } from '../ports/clock.ts'

/** Runs that are kept; older files are removed when a new one begins. */
const KEPT_RUNS = 10

/** A run whose log is being written. */
export interface RecordedRun {
  readonly file: string
  readonly stack: Stack
  /** Writes what is left; the stack is closed apart from that. */
  close(): Promise<void>
}

/** Opens an embedded stack and writes everything that happens on it to a new file below `<stateDir>/log`. @throws LABAN_LOG_FILE */
export async function openRecordedRun(options: StackOptions): Promise<RecordedRun> {
  const { createMemoryBroker } = await import('../adapters/memory/broker.ts')
  const { persistTo } = await import('../adapters/memory/persist.ts')
  const { config, log, clock = systemClock } = options
  const broker: MemoryBroker = createMemoryBroker({ clock })
  const stack = await openEmbedded({ ...options, broker })
  const file = await newRunFile(config.stateDir, clock.nowMs())
  const logFile = await persistTo(broker, file, {
    onError: (error) => log.error('the run can no longer be recorded', { problem: error.message }),
  })
  return {
    file,
    stack,
    close: async () => {
      await logFile.close()
      await stack.close()
    },
  }
}

/** Opens a recorded run to read it. What is published to it goes nowhere. @throws LABAN_LOG_FILE, LABAN_FORMAT_TOO_NEW */
export async function openRecorded(options: StackOptions, file: string): Promise<Stack> {
  const { openLog } = await import('../adapters/memory/persist.ts')
  const { broker } = await openLog(file, { clock: options.clock ?? systemClock })
  return await openEmbedded({ ...options, broker })
}

/** Files of recorded runs, newest first. */
export async function recordedRuns(stateDir: string): Promise<readonly string[]> {
  const dir = runsDir(stateDir)
  const names = await readdir(dir).catch(() => [])
  return names
    .filter((name) => name.endsWith('.log'))
    .sort()
    .reverse()
    .map((name) => join(dir, name))
}

function runsDir(stateDir: string): string {
  return join(stateDir, 'log')
}

async function newRunFile(stateDir: string, nowMs: number): Promise<string> {
  await mkdir(runsDir(stateDir), { recursive: true })
  for (const old of (await recordedRuns(stateDir)).slice(KEPT_RUNS - 1)) await rm(old, { force: true })
  // Names sort by time; the process id keeps two runs of one millisecond apart.
  const name = `${new Date(nowMs).toISOString().replaceAll(':', '-')}-${process.pid}.log`
  return join(runsDir(stateDir), name)
}
