/** A page that is rewritten in place. The rule it keeps: whatever ends the command, the terminal is as it was before. */

const ESC = '\u001B['
const ENTER = `${ESC}?1049h${ESC}?25l`
const LEAVE = `${ESC}?25h${ESC}?1049l`
const HOME = `${ESC}H`
const END_OF_LINE = `${ESC}K`
const BELOW = `${ESC}J`

const CTRL_C = '\u0003'
const QUIT_KEYS = ['q', 'Q', CTRL_C]

/** What a screen needs of a terminal; `process.stdout` and `process.stdin` fit. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown; readonly rows?: number; readonly columns?: number }
  readonly stdin: {
    readonly isTTY?: boolean
    setRawMode?(isRaw: boolean): unknown
    on(event: 'data', listener: (bytes: Buffer) => void): unknown
    off(event: 'data', listener: (bytes: Buffer) => void): unknown
    resume(): unknown
    pause(): unknown
  }
}

/** See the file's head. */
export class Screen implements Disposable {
  readonly #terminal: Terminal
  readonly #onKey: (bytes: Buffer) => void

  /** Takes the screen; `onQuit` is called for q and, as raw terminals send no signal for it, Ctrl-C. */
  constructor(terminal: Terminal, onQuit: () => void) {
    this.#terminal = terminal
    this.#onKey = (bytes) => {
      if (QUIT_KEYS.some((key) => bytes.includes(key))) onQuit()
    }
    const { stdin, stdout } = terminal
    if (stdin.isTTY === true) {
      stdin.setRawMode?.(true)
      stdin.on('data', this.#onKey)
      stdin.resume()
    }
    stdout.write(ENTER)
  }

  /** Shows these lines and nothing else; what does not fit below is left out. */
  draw(lines: readonly string[]): void {
    const { rows = 24 } = this.#terminal.stdout
    const shown = lines.slice(0, rows - 1).map((line) => line + END_OF_LINE)
    this.#terminal.stdout.write(`${HOME}${shown.join('\r\n')}\r\n${BELOW}`)
  }

  [Symbol.dispose](): void {
    const { stdin, stdout } = this.#terminal
    stdout.write(LEAVE)
    if (stdin.isTTY !== true) return
    stdin.setRawMode?.(false)
    stdin.off('data', this.#onKey)
    stdin.pause()
  }
}
