/** What a number on a line is about. */

const MAX_CHARS = 80
/** Enough for any label; a line may be as long as its document. */
const SEEN_CHARS = 200

/**
 * The words before a place on a line: `Due date` for `- **Due date:** 2026-03-31`; of a table row the first cell. Marks of
 * Markdown are left out; cut to the last 80 characters.
 */
export function labelBefore(line: string, index: number): string {
  const isTable = line.startsWith('|')
  const before = isTable
    ? line.slice(1, Math.min(index, SEEN_CHARS))
    : line.slice(Math.max(0, index - SEEN_CHARS), index)
  const cell = isTable ? (before.split('|').find((text) => text.trim() !== '') ?? '') : before
  return cell
    .replaceAll(/[*_`#>|]/g, '')
    .replace(/^\s*(?:[-+]|\d+[.)])\s+/, '')
    .replace(/[\s:=.–-]+$/, '')
    .trim()
    .slice(-MAX_CHARS)
}
