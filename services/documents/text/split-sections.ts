/** Finds the headings of plain text and Markdown and what stands below each. */
import type { EventOf } from 'laban'

export type Section = EventOf<'document.parsed'>['sections'][number]

/** A longer line is no heading, whatever it looks like. */
const MAX_HEADING_CHARS = 120

/** How a line begins a section, and how many lines the heading takes. */
interface Heading {
  readonly heading: string
  readonly level: number
  readonly lines: 1 | 2
}

type FindHeading = (line: string, next: string, isFirst: boolean) => Heading | undefined

/** `## Items` and, as in plain text, underlined lines. */
const MARKDOWN_HEADING = /^(#{1,6})[ \t]+(\S.*)$/
const UNDERLINE = /^(=+|-+)[ \t]*$/
const FENCE = /^(```|~~~)/
/** `2. Findings`, `2.1 Costs`: numbered, short, and no sentence. */
const NUMBERED = /^(\d+(?:\.\d+)*)\.?[ \t]+(\p{Lu}[^.!?:;]{0,58}[^.!?:;,])$/u
/** What a line that is no sentence ends in. */
const OPEN_END = /[^.!?:;,]$/
/** `ITEMS`: a short line in capitals. */
const CAPITALS = /^[\p{Lu}][\p{Lu} &/-]{2,58}$/u

/** Sections in order; what stands before the first heading is one without heading, if it says anything. */
export function splitSections(text: string, format: 'plain' | 'markdown'): Section[] {
  const lines = text.split(/\r?\n/)
  const find = format === 'markdown' ? markdownHeading : plainHeading
  const sections: { heading: string; level: number; lines: string[] }[] = [{ heading: '', level: 0, lines: [] }]
  let isCode = false
  let isFirst = true
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? '').trimEnd()
    if (format === 'markdown' && FENCE.test(line)) isCode = !isCode
    const found =
      isCode || line.length > MAX_HEADING_CHARS ? undefined : find(line, (lines[index + 1] ?? '').trimEnd(), isFirst)
    if (line !== '') isFirst = false
    if (found === undefined) sections.at(-1)?.lines.push(line)
    else {
      sections.push({ heading: found.heading, level: found.level, lines: [] })
      index += found.lines - 1
    }
  }
  return sections
    .map(({ heading, level, lines }) => ({ heading, level, text: lines.join('\n').trim() }))
    .filter(({ heading, text }) => heading !== '' || text !== '')
}

const underlined: FindHeading = (line, next) => {
  const isHeading = /[\p{L}\p{N}]/u.test(line) && !line.startsWith('|') && next.length >= 3 && UNDERLINE.test(next)
  return isHeading ? { heading: line.trim(), level: next.startsWith('=') ? 1 : 2, lines: 2 } : undefined
}

const markdownHeading: FindHeading = (line, next) => {
  const [, marks, heading] = MARKDOWN_HEADING.exec(line) ?? []
  if (marks === undefined || heading === undefined) return underlined(line, next, false)
  return { heading: heading.replace(/[ \t]+#+$/, ''), level: marks.length, lines: 1 }
}

const plainHeading: FindHeading = (line, next, isFirst) => {
  const found = underlined(line, next, isFirst)
  if (found !== undefined) return found
  const isTitle = isFirst && next === '' && OPEN_END.test(line)
  if (isTitle || CAPITALS.test(line)) return { heading: line, level: 1, lines: 1 }
  const [, number, heading] = NUMBERED.exec(line) ?? []
  if (number === undefined || heading === undefined) return undefined
  return { heading, level: number.split('.').length, lines: 1 }
}
