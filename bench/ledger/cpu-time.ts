/** CPU time of a process, as the kernel counts it. */
import { readFileSync } from 'node:fs'

const CLOCK_TICK_MS = 10

/** User and system time of a process, from the kernel; 0 when it has ended. */
export function cpuMsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS
  } catch {
    return 0
  }
}
