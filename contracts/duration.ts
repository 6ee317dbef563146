/** Durations as people write them in contract files. */

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const DURATION = /^(\d+)\s?(ms|s|m|h|d)$/

/** Milliseconds of `500ms`, `30s`, `5m`, `12h` or `7d`; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null) return undefined
  const durationMs = Number(match[1]) * (UNITS_MS[match[2] ?? ''] ?? Number.NaN)
  return Number.isSafeInteger(durationMs) ? durationMs : undefined
}
