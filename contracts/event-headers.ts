/** The headers that belong to an event, apart from those that records of laban's own topics add to it. */
import type { ReceivedHeaders } from './envelope.ts'

const ADDED = /^laban-(dlq-|retry-|due-ms$)/

/** The headers without what hand-overs and dead letters added. Foreign headers are kept as they came. */
export function eventHeaders(headers: ReceivedHeaders): Record<string, string | Buffer | readonly (string | Buffer)[]> {
  const kept: Record<string, string | Buffer | readonly (string | Buffer)[]> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined && !ADDED.test(name)) kept[name] = value
  return kept
}
