/** Durations as people read them. */

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** `12 ms`, `1.52 s`, `2 min 5 s`, `3 h 2 min`, `2 d 4 h`: two units at most. */
export function durationText(durationMs: number): string {
  const ms = Math.round(durationMs)
  if (ms < SECOND_MS) return `${ms} ms`
  if (ms < MINUTE_MS) return `${Number((ms / SECOND_MS).toFixed(ms < 10 * SECOND_MS ? 2 : 1))} s`
  if (ms < HOUR_MS) return two(ms, [MINUTE_MS, 'min'], [SECOND_MS, 's'])
  if (ms < DAY_MS) return two(ms, [HOUR_MS, 'h'], [MINUTE_MS, 'min'])
  return two(ms, [DAY_MS, 'd'], [HOUR_MS, 'h'])
}

/** `12 ms` or `10 ms to 1.5 s`. */
export function rangeText(durationsMs: readonly number[]): string {
  const least = durationText(Math.min(...durationsMs))
  const most = durationText(Math.max(...durationsMs))
  return least === most ? least : `${least} to ${most}`
}

type Unit = readonly [sizeMs: number, name: string]

function two(ms: number, [largeMs, large]: Unit, [smallMs, small]: Unit): string {
  const rest = Math.floor((ms % largeMs) / smallMs)
  return `${Math.floor(ms / largeMs)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}
