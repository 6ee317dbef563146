/** The Logger port on pino: JSON lines for machines, one readable line for people. Logs go to stderr; stdout belongs to results. */
import { styleText } from 'node:util'
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import type { LogFields, Logger } from '../../ports/logger.ts'

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** `auto`: pretty on a terminal, else JSON. */
  readonly format: 'auto' | 'json' | 'pretty'
}

/** A logger that writes to stderr. */
export function createLogger(options: LoggerOptions): Logger {
  const isPretty = options.format === 'pretty' || (options.format === 'auto' && process.stderr.isTTY === true)
  const destination: DestinationStream = isPretty ? { write: writePretty } : pino.destination({ dest: 2, sync: true })
  return new PinoAdapter(pino({ level: options.level, base: { pid: process.pid } }, destination))
}

class PinoAdapter implements Logger {
  readonly #pino: PinoLogger

  constructor(logger: PinoLogger) {
    this.#pino = logger
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#pino.debug(fields, message)
  }

  info(message: string, fields: LogFields = {}): void {
    this.#pino.info(fields, message)
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#pino.warn(fields, message)
  }

  error(message: string, fields: LogFields = {}): void {
    this.#pino.error(fields, message)
  }

  child(fields: LogFields): Logger {
    return new PinoAdapter(this.#pino.child(fields))
  }
}

const LEVELS: Readonly<Record<number, { readonly name: string; readonly style: Parameters<typeof styleText>[0] }>> = {
  20: { name: 'debug', style: 'dim' },
  30: { name: 'info', style: 'cyan' },
  40: { name: 'warn', style: 'yellow' },
  50: { name: 'error', style: 'red' },
}

function writePretty(line: string): void {
  const {
    level,
    time,
    pid: _pid,
    msg,
    ...fields
  } = JSON.parse(line) as { level: number; time: number; pid: number; msg: string }
  const { name, style } = LEVELS[level] ?? { name: String(level), style: 'dim' as const }
  const clock = new Date(time).toISOString().slice(11, 23)
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const stream = process.stderr
  const paint = (how: Parameters<typeof styleText>[0], text: string): string => styleText(how, text, { stream })
  stream.write(`${paint('dim', clock)} ${paint(style, name.padEnd(5))} ${msg} ${paint('dim', rest.join(' '))}\n`)
}
