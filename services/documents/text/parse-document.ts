/** Takes a document apart: title, sections, dates and amounts of money. Lines are read once, in order; nothing is interpreted twice. */
import type { EventOf } from 'laban'
import { findAmounts } from './find-amounts.ts'
import { findDates } from './find-dates.ts'
import { splitSections } from './split-sections.ts'

/** What is found in a document. */
export type DocumentParts = Pick<EventOf<'document.parsed'>, 'title' | 'sections' | 'dates' | 'amounts'>

/** Parses a document. The title is the first heading, else the first line, cut to 120 characters. */
export function parseDocument({ format, text }: Pick<EventOf<'document.received'>, 'format' | 'text'>): DocumentParts {
  const sections = splitSections(text, format)
  const inLines = <T extends object>(find: (line: string) => readonly T[]): (T & { section: string })[] =>
    sections.flatMap(({ heading, text }) =>
      [heading, ...text.split('\n')].flatMap((line) => find(line).map((found) => ({ ...found, section: heading }))),
    )
  const firstLine = sections.flatMap(({ text }) => text.split('\n')).find((line) => line.trim() !== '')
  const title = sections.find(({ heading }) => heading !== '')?.heading ?? firstLine?.trim() ?? ''
  return { title: title.slice(0, 120), sections, dates: inLines(findDates), amounts: inLines(findAmounts) }
}
