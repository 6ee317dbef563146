/**
 * Finds in a value what its contract marks as personal, and hides it in texts that were made from the value: error messages, stacks.
 * Rule: only what occurs literally can be found; what is too short to be told from ordinary words is left.
 */
import type { AvroSchema } from './contract.ts'
import { hasMarkedFields, maskValue } from './mask-value.ts'

/** What stands in the place of a personal value. */
export const HIDDEN = '***'
/** Shorter texts occur in every message. */
const SHORTEST_TEXT = 3
const SHORTEST_NUMBER = 4

/** The personal parts of a value as they would stand in a text, the longest first; none where the contract marks nothing. */
export function personalTexts(schema: AvroSchema, value: unknown): readonly string[] {
  if (!hasMarkedFields(schema)) return []
  const found = new Set<string>()
  collect(value, maskValue(schema, value), found)
  return [...found].sort((a, b) => b.length - a.length)
}

/** The text with each of these parts hidden. */
export function hideTexts(text: string, parts: readonly string[]): string {
  return parts.reduce((hidden, part) => {
    if (!NUMBER.test(part)) return hidden.replaceAll(part, HIDDEN)
    return hidden.replaceAll(new RegExp(`(?<![\\d.])${part.replaceAll('.', '\\.')}(?![\\d.]\\d|\\d)`, 'g'), HIDDEN)
  }, text)
}

const NUMBER = /^-?\d+(\.\d+)?$/

/** Where the mask differs from the value, everything in the value is personal. */
function collect(value: unknown, masked: unknown, found: Set<string>): void {
  if (value === masked) return
  const isWhole = typeof masked === 'string'
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    for (const [name, part] of Object.entries(value)) {
      collect(part, isWhole ? HIDDEN : (masked as Readonly<Record<string, unknown>>)[name], found)
    }
  } else if (typeof value === 'string' && value.trim().length >= SHORTEST_TEXT) {
    found.add(value)
    // As it stands in a JSON text.
    found.add(JSON.stringify(value).slice(1, -1))
  } else if (typeof value === 'number' || typeof value === 'bigint') {
    if (String(value).length >= SHORTEST_NUMBER) found.add(String(value))
  }
}
