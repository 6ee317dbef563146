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

/** The shortest text of a duration that {@link parseDurationMs} reads: `1m`, `90s`, `250ms`. */
export function durationText(durationMs: number): string {
  const units = Object.entries(UNITS_MS).reverse()
  const [unit, unitMs] = units.find(([, each]) => durationMs >= each && durationMs % each === 0) ?? ['ms', 1]
  return `${durationMs / unitMs}${unit}`
}
