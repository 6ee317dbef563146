/** The readable text of a section: no tables, code or marks of Markdown, each list item a paragraph. */

/** Prose with empty lines between paragraphs. Plain text passes through. */
export function proseOf(text: string): string {
  return text
    .replaceAll(/^(```|~~~)[^\n]*\n[\s\S]*?^\1[^\n]*$/gm, '')
    .replaceAll(/^[ \t]*\|[^\n]*$/gm, '')
    .replaceAll(/^[ \t]*(?:[-*+]|\d+[.)])[ \t]+/gm, '\n')
    .replaceAll(/^[ \t]*>[ \t]?/gm, '')
    .replaceAll(/!?\[([^\]\n]{0,300})\]\([^)\n]{0,300}\)/g, '$1')
    .replaceAll(/(\*\*|__|`)/g, '')
    .replaceAll(/(?<![\p{L}\p{N}])[*_]|[*_](?![\p{L}\p{N}])/gu, '')
    .trim()
}
