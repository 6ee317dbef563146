/** Bad days of the machines: the clock of one process is set, the disk of the broker is full. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '../../harness/wait.ts'
import { lasting, spending, type Day, type SpendDay } from './day.ts'
import { setOwn, type OwnPlace } from './days.ts'
import { steadyMs } from './scene.ts'

/** From the package `libfaketime`. It leaves the steady clock alone here, as whoever sets the clock does. */
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'
const DISK_MB = 64

/** A process with a clock of its own. */
interface ClockPlace extends OwnPlace {
  setClock(byS: number): void
}

async function setClockPlace(random: () => number): Promise<ClockPlace> {
  if (!existsSync(FAKETIME)) throw new RangeError(`this day needs the package libfaketime: there is no ${FAKETIME}`)
  const folder = mkdtempSync(join(tmpdir(), 'laban-clock-'))
  const file = join(folder, 'clock')
  const setClock = (byS: number): void => writeFileSync(file, `${byS < 0 ? '' : '+'}${byS}\n`)
  setClock(0)
  const firstEnv = {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
  const place = await setOwn(random, {}, { firstEnv })
  const close = async (): Promise<void> => {
    await place.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { ...place, setClock, close }
}

/** One process lives an hour ago: nothing depends on it but times that are written down. */
const clockBack: Day<ClockPlace> = {
  set: setClockPlace,
  befall: ({ setClock }) =>
    lasting(
      30_000,
      () => setClock(-3_600),
      () => setClock(0),
    ),
  isSeen: false,
  resumesWithinMs: 5_000,
}

/** Minutes ahead: less than the brokers take offence at. */
const clockAhead: Day<ClockPlace> = {
  set: setClockPlace,
  befall: ({ setClock }) =>
    lasting(
      30_000,
      () => setClock(1_800),
      () => setClock(0),
    ),
  isSeen: false,
  resumesWithinMs: 5_000,
}

/** Brokers of Kafka 4 take no record that is more than an hour ahead of them. */
const clockFarAhead: Day<ClockPlace> = {
  set: setClockPlace,
  befall: ({ setClock }) =>
    lasting(
      30_000,
      () => setClock(7_200),
      () => setClock(0),
    ),
  says: [/LABAN_BROKER_CLOCK/, /because of their time/],
  resumesWithinMs: 15_000,
}

/** The data of the broker lie on a small file system, which somebody else fills: the broker ends itself. */
const diskFull: Day<OwnPlace & { readonly disk: string }> = {
  async set(random) {
    const disk = mkdtempSync(join(tmpdir(), 'laban-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', disk])
    const unmount = (): void => {
      execFileSync('umount', ['-l', disk])
      rmSync(disk, { recursive: true, force: true })
    }
    try {
      const properties = { 'log.index.size.max.bytes': '65536', 'log.cleaner.dedupe.buffer.size': '2097152' }
      const place = await setOwn(random, { dataDir: disk, properties })
      const close = async (): Promise<void> => {
        await place.close()
        unmount()
      }
      return { ...place, disk, close }
    } catch (error) {
      unmount()
      throw error
    }
  },
  async befall({ disk, first: { node } }) {
    const beganAtMs = steadyMs()
    const filler = join(disk, 'filler')
    try {
      execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k'], { stdio: 'ignore' })
    } catch {
      // It ends when there is no room left.
    }
    await waitFor(() => !node.isRunning, { timeoutMs: 60_000, what: 'the broker to end itself' })
    const notes = [`the broker ended itself after ${steadyMs() - beganAtMs} ms: ${lastError(node.said())}`]
    await waitFor(() => steadyMs() - beganAtMs > 15_000, { timeoutMs: 16_000 })
    rmSync(filler)
    await node.start()
    return { beganAtMs, endedAtMs: steadyMs(), notes }
  },
  says: [/the broker does not answer/],
  resumesWithinMs: 20_000,
}

function lastError(said: string): string {
  return said.split('\n').findLast((line) => /ERROR|No space/.test(line)) ?? said.slice(-200)
}

/** By name. */
export const MACHINE_DAYS = {
  'clock-back': spending(clockBack),
  'clock-ahead': spending(clockAhead),
  'clock-far-ahead': spending(clockFarAhead),
  'disk-full': spending(diskFull),
} as const satisfies Readonly<Record<string, SpendDay>>
