/**
 * Reads the commands that a page of the documentation promises: fenced blocks that begin with "```sh run", in order. A
 * "```text" block right after one is what it prints: its lines must come in this order, `…` stands for anything.
 */

/** One runnable block. */
export interface DocCommand {
  readonly line: number
  readonly script: string
  /** Lines that the output must contain, in order; empty when the page shows none. */
  readonly expected: readonly string[]
}

const FENCE = /^```(.*)$/

/** All runnable blocks of a page. */
export function commandsOf(markdown: string): DocCommand[] {
  const blocks = fencedBlocks(markdown)
  return blocks.flatMap((block, index) => {
    if (!/^sh run\b/.test(block.info)) return []
    const next = blocks[index + 1]
    const answers = next !== undefined && next.info === 'text' && next.line - block.endLine <= 2
    return [
      {
        line: block.line,
        script: block.body.join('\n'),
        expected: answers ? next.body.filter((text) => text !== '') : [],
      },
    ]
  })
}

/** The first expected line that the output does not contain after the ones before it; undefined when all are there. */
export function missingLine(output: string, expected: readonly string[]): string | undefined {
  const lines = output.split('\n')
  let from = 0
  for (const wanted of expected) {
    const pattern = new RegExp(`^\\s*${wanted.trim().split('…').map(escape).join('.*')}\\s*$`)
    const found = lines.findIndex((line, index) => index >= from && (pattern.test(line) || /^\s*…\s*$/.test(wanted)))
    if (found === -1) return wanted
    from = /^\s*…\s*$/.test(wanted) ? from : found + 1
  }
  return undefined
}

interface Block {
  readonly info: string
  readonly line: number
  readonly endLine: number
  readonly body: string[]
}

function fencedBlocks(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { info: string; line: number; body: string[] } | undefined
  markdown.split('\n').forEach((text, index) => {
    const fence = FENCE.exec(text)
    if (open === undefined && fence !== null) open = { info: (fence[1] ?? '').trim(), line: index + 1, body: [] }
    else if (open !== undefined && fence !== null) {
      blocks.push({ ...open, endLine: index + 1 })
      open = undefined
    } else open?.body.push(text)
  })
  return blocks
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
