/**
 * Reads the commands that a page of the documentation promises: fenced blocks that begin with "```sh run", in order. A
 * "```text" block right after one is what it prints: its lines must come in this order, `…` stands for anything. What a
 * "```sh run background" block starts runs on, as in a terminal of its own, once it has printed the last of these lines.
 */

/** One runnable block. */
export interface DocCommand {
  readonly line: number
  readonly script: string
  /** Lines that the output must contain, in order; empty when the page shows none. */
  readonly expected: readonly string[]
  readonly isBackground: boolean
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
        isBackground: /^sh run background\b/.test(block.info),
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

const BACKGROUND_TIMEOUT_S = 120

/** A shell script of all commands, each followed by a separator in the output. */
export function scriptOf(commands: readonly DocCommand[], separator: string): string {
  const parts = commands.map((command) => (command.isBackground ? backgroundScript(command) : command.script))
  return parts.map((part) => `${part}\nprintf '${separator}'`).join('\n')
}

/** Starts it with its output in a file, waits for the last line that it promises, and shows what it has printed. */
function backgroundScript({ line, script, expected }: DocCommand): string {
  const last = (expected.at(-1) ?? '').trim().split('…').map(escape).join('.*')
  return [
    `output_${line}=$(mktemp)`,
    `(\n${script}\n) > "$output_${line}" 2>&1 &`,
    `for _ in $(seq ${BACKGROUND_TIMEOUT_S * 10}); do`,
    `  if grep -qE '${last.replaceAll("'", '.')}' "$output_${line}"; then break; fi`,
    `  sleep 0.1`,
    `done`,
    `cat "$output_${line}"`,
  ].join('\n')
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
