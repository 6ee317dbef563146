/**
 * Finds dates that mean one day: `2026-03-31`, `31 March 2026`, `March 31, 2026`. `03/04/2026` is passed over: it is one day in
 * London and another in New York.
 */
import type { EventOf } from 'laban'
import { labelBefore } from './label-before.ts'

type FoundDate = Omit<EventOf<'document.parsed'>['dates'][number], 'section'>

const MONTHS = 'january february march april may june july august september october november december'.split(' ')
const MONTH = `(?<month>${MONTHS.map((month) => `${month}|${month.slice(0, 3)}`).join('|')})\\.?`
const DATE = [
  /(?<year>\d{4})-(?<monthNumber>\d\d)-(?<day>\d\d)/,
  new RegExp(`(?<day>\\d{1,2})(?:st|nd|rd|th)? ${MONTH} (?<year>\\d{4})`),
  new RegExp(`${MONTH} (?<day>\\d{1,2})(?:st|nd|rd|th)?,? (?<year>\\d{4})`),
].map((form) => new RegExp(`(?<![\\p{L}\\p{N}-])${form.source}(?![\\p{L}\\p{N}]|-\\d)`, 'giu'))

/** The dates of one line, in order. A day that no calendar has, such as 31 February, has the date null. */
export function findDates(line: string): FoundDate[] {
  return DATE.flatMap((form) => [...line.matchAll(form)])
    .toSorted((left, right) => left.index - right.index)
    .map(({ 0: text, index, groups = {} }) => {
      const { year = '', month = '', monthNumber, day = '' } = groups
      const number = Number(
        monthNumber ?? MONTHS.findIndex((name) => name.startsWith(month.slice(0, 3).toLowerCase())) + 1,
      )
      return { text, date: isoDay(Number(year), number, Number(day)), label: labelBefore(line, index) }
    })
}

function isoDay(year: number, month: number, day: number): string | null {
  const time = new Date(Date.UTC(year, month - 1, day))
  const exists = time.getUTCMonth() === month - 1 && time.getUTCDate() === day
  return exists ? time.toISOString().slice(0, 10) : null
}
