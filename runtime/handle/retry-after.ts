/**
 * What a thrown value says about HTTP: status and Retry-After, wherever clients put them. Looked for on the value itself, on its
 * `response`, and down its causes; of several errors (AggregateError) the one that asks for the longest wait counts.
 */

/** What an HTTP server answered. */
export interface HttpFailure {
  readonly status: number
  /** What it asked for: not before so many milliseconds. */
  readonly retryAfterMs?: number
}

type Fields = Readonly<Record<string, unknown>>

const MAX_DEPTH = 8
/** A date far ahead, or a number in the wrong unit, must not hold an event for ever. */
const LONGEST_RETRY_AFTER_MS = 86_400_000

/** The failure of an HTTP call that a thrown value tells of; undefined for any other. */
export function httpFailure(thrown: unknown, nowMs: number, depth = 0): HttpFailure | undefined {
  if (typeof thrown !== 'object' || thrown === null || depth > MAX_DEPTH) return undefined
  const fields = thrown as Fields
  const own = ownFailure(fields, nowMs) ?? responseFailure(fields, nowMs)
  if (own !== undefined) return own
  const members = Array.isArray(fields['errors']) ? (fields['errors'] as readonly unknown[]) : []
  const found = members.flatMap((member) => httpFailure(member, nowMs, depth + 1) ?? [])
  const longest = found.sort((a, b) => (b.retryAfterMs ?? 0) - (a.retryAfterMs ?? 0))[0]
  return longest ?? httpFailure(fields['cause'], nowMs, depth + 1)
}

/** Milliseconds of a Retry-After header: seconds, or a date; undefined when it is neither. */
export function parseRetryAfter(text: string, nowMs: number): number | undefined {
  const trimmed = text.trim()
  const waitMs = /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) * 1_000 : Date.parse(trimmed) - nowMs
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), LONGEST_RETRY_AFTER_MS)
}

function ownFailure(fields: Fields, nowMs: number): HttpFailure | undefined {
  const status = fields['status'] ?? fields['statusCode']
  if (typeof status !== 'number' || status < 400 || status > 599) return undefined
  const header = headerIn(
    fields['headers'] ?? fields['responseHeaders'] ?? (fields['response'] as Fields | undefined)?.['headers'],
  )
  const retryAfterMs = header === undefined ? undefined : parseRetryAfter(header, nowMs)
  return { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

function responseFailure({ response }: Fields, nowMs: number): HttpFailure | undefined {
  return typeof response === 'object' && response !== null ? ownFailure(response as Fields, nowMs) : undefined
}

/** Headers of fetch, a plain object, or a Map. */
function headerIn(headers: unknown): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  const { get } = headers as { get?: unknown }
  const named = Object.entries(headers as Fields).find(([name]) => name.toLowerCase() === 'retry-after')?.[1]
  const value: unknown = typeof get === 'function' ? (headers as Headers).get('retry-after') : named
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
