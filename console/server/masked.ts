/**
 * Values as the page may show them: what a contract marks as personal is hidden. A correction comes back with the hidden parts still
 * hidden, and gets them back from the original, so that nobody has to see them to mend something else.
 */
import { isDeepStrictEqual } from 'node:util'
import { hasMarkedFields, maskValue, type TopicContract } from '../../contracts/index.ts'
import type { BodyView } from '../api.ts'

/** A value for the page. */
export function maskedBody(value: unknown, { schema }: Pick<TopicContract, 'schema'>): BodyView {
  return { value: maskValue(schema, value), masked: hasMarkedFields(schema) }
}

/** The corrected value with what was hidden in it, and left as it was, put back. */
export function withHidden(corrected: unknown, original: unknown, { schema }: Pick<TopicContract, 'schema'>): unknown {
  return hasMarkedFields(schema) ? putBack(corrected, original, asJson(maskValue(schema, original))) : corrected
}

function putBack(corrected: unknown, original: unknown, masked: unknown): unknown {
  if (isDeepStrictEqual(corrected, masked)) return original
  if (Array.isArray(corrected) && Array.isArray(original) && Array.isArray(masked)) {
    // A list that has become longer or shorter: nobody can tell which item was which.
    if (corrected.length !== original.length) return corrected
    return corrected.map((item: unknown, index) => putBack(item, original[index], masked[index]))
  }
  if (!isRecord(corrected) || !isRecord(original) || !isRecord(masked)) return corrected
  return Object.fromEntries(
    Object.entries(corrected).map(([name, field]) => [name, putBack(field, original[name], masked[name])]),
  )
}

/** As the page got it. */
function asJson(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_name, field: unknown) => (typeof field === 'bigint' ? String(field) : field)),
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
