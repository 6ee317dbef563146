/** Numbers and times as people read them. */

const UNITS: readonly (readonly [sizeMs: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
]

/** `12 ms`, `1.52 s`, `2 min 5 s`, `3 h 2 min`: two units at most; an en dash when there is none. */
export function durationText(durationMs: number | null): string {
  if (durationMs === null) return '–'
  const ms = Math.round(durationMs)
  if (ms < 1_000) return `${ms} ms`
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(ms < 10_000 ? 2 : 1))} s`
  const index = UNITS.findIndex(([sizeMs]) => ms >= sizeMs)
  const [size, name] = UNITS[index] ?? [1_000, 's']
  const [smaller, smallName] = UNITS[index + 1] ?? [1, 'ms']
  const rest = Math.floor((ms % size) / smaller)
  return `${Math.floor(ms / size)} ${name}${rest === 0 ? '' : ` ${rest} ${smallName}`}`
}

/** `5 s ago`, `3 min ago`: one unit, as nobody needs more of it. */
export function agoText(durationMs: number): string {
  const ms = Math.max(0, durationMs)
  const [sizeMs, name] = UNITS.find(([size]) => ms >= size) ?? [1_000, 's']
  return `${Math.floor(ms / sizeMs)} ${name} ago`
}

/** `14:03:22` today, else with the date; by the clock of this browser. */
export function timeText(atMs: number | null, nowMs = Date.now()): string {
  if (atMs === null) return '–'
  const at = new Date(atMs)
  const time = at.toLocaleTimeString('en-GB')
  return new Date(nowMs).toDateString() === at.toDateString() ? time : `${isoDay(at)} ${time}`
}

/** `12,345`. */
export function countText(count: number): string {
  return count.toLocaleString('en-US')
}

/** `3.2/s`, `0/s`; an en dash when nothing is known. */
export function rateText(perSecond: number | null): string {
  if (perSecond === null) return '–'
  if (perSecond >= 100) return `${countText(Math.round(perSecond))}/s`
  return `${Number(perSecond.toFixed(perSecond < 10 ? 1 : 0))}/s`
}

/** `1 flow`, `3 flows`. */
export function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** The first part of an id, which is nearly always enough. */
export function shortId(id: string): string {
  return id.slice(0, 8)
}

/** `7 d`, `for ever`. */
export function retentionText(retentionMs: number): string {
  return retentionMs < 0 ? 'for ever' : durationText(retentionMs)
}

function isoDay(at: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}
