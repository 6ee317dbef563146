/** Where commands write: results to stdout, everything about the run to stderr, colours only where somebody looks at them. */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** The terminal of one command. */
export interface Output {
  /** True when a person sees stdout. */
  readonly isTerminal: boolean
  /** True when stdout takes colours: a terminal, and NO_COLOR is not set. */
  readonly hasColours: boolean
  /** One line of the result. */
  line(text?: string): void
  /** The result as JSON, indented on a terminal, else on one line. */
  json(value: unknown): void
  /** One line about the run: progress, summaries, hints. */
  note(text: string): void
  /** Colours text for stdout; unchanged when stdout is no terminal or NO_COLOR is set. */
  style(style: Style, text: string): string
  /** The same for stderr. */
  styleNote(style: Style, text: string): string
}

/** Output to this process's stdout and stderr. */
export function createOutput(): Output {
  const { stdout, stderr } = process
  // `laban flows | head` closes the pipe early: that is an end, not an error.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
  return {
    isTerminal: stdout.isTTY === true,
    hasColours: styleText('red', 'x', { stream: stdout }) !== 'x',
    line: (text = '') => void stdout.write(`${text}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value, null, stdout.isTTY ? 2 : undefined)}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    style: (style, text) => styleText(style, text, { stream: stdout }),
    styleNote: (style, text) => styleText(style, text, { stream: stderr }),
  }
}
