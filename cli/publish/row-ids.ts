/** Gives every row its event id: from a column, or from batch name, content and occurrence. The same file gives the same ids for ever. */
import { hash } from 'node:crypto'
import { deriveId, isUuid } from '../../contracts/index.ts'

/** The id of a row, or why it has none; `repeats` is the line of an earlier row that says the same under the same id. */
export type RowId = { readonly eventId: string } | { readonly repeats: number } | { readonly problem: string }

/** Hands out ids in file order. Remembers some 100 bytes per row. */
export interface RowIds {
  next(line: number, cells: Readonly<Record<string, unknown>>, value: unknown): RowId
}

/** Ids from a column: a UUID as it is, other text hashed with the topic. */
export function idsFromColumn(topic: string, column: string): RowIds {
  const seen = new Map<string, { line: number; content: string }>()
  return {
    next: (line, cells, value) => {
      const cell = cells[column]
      const text = typeof cell === 'string' || typeof cell === 'number' ? String(cell).trim() : ''
      if (text === '') return { problem: 'an id' }
      const content = contentOf(value)
      const earlier = seen.get(text)
      if (earlier === undefined) {
        seen.set(text, { line, content })
        return { eventId: isUuid(text) ? text : deriveId('first', topic, text) }
      }
      return earlier.content === content
        ? { repeats: earlier.line }
        : { problem: `an id of its own; line ${earlier.line} has this one with other content` }
    },
  }
}

/** Ids from what the row says: equal rows are told apart by counting them, so an appended row changes no other id. */
export function idsFromContent(topic: string, batch: string): RowIds {
  const occurrences = new Map<string, number>()
  return {
    next: (_line, _cells, value) => {
      const content = contentOf(value)
      const occurrence = (occurrences.get(content) ?? 0) + 1
      occurrences.set(content, occurrence)
      return { eventId: deriveId('row', topic, batch, content, String(occurrence)) }
    },
  }
}

/** 128 bits of the value's canonical JSON: fields come in the order of the contract already, nested ones are sorted. */
function contentOf(value: unknown): string {
  return hash('sha256', JSON.stringify(value, sortKeys), 'hex').slice(0, 32)
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
