/** One error class for the whole platform; every code lives in the error table, so that code, docs and exit status cannot drift apart. */
import type { ErrorClass } from './error-definition.ts'
import { ERROR_TABLE, type ErrorCode } from './error-table.ts'

export type { ErrorClass } from './error-definition.ts'
export type { ErrorCode } from './error-table.ts'

/** Values that explain one error: they fill the `{placeholders}` of its message and travel with it into facts and dead letters. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | undefined>>

/** The form of an error that crosses processes (dead letters, facts, the control port). */
export interface SerializedError {
  readonly code: ErrorCode
  readonly message: string
  readonly details: ErrorDetails
  readonly cause?: string
}

const BRAND = Symbol.for('laban.error')

/**
 * Every error that laban throws. `name` equals `code`; `errorClass` decides what the pipeline and the CLI do with it.
 * Use {@link isLabanError} instead of `instanceof`, which fails across two copies of the package.
 */
export class LabanError extends Error {
  readonly [BRAND] = true
  readonly code: ErrorCode
  readonly errorClass: ErrorClass
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, options: { cause?: unknown; message?: string } = {}) {
    super(options.message ?? fillTemplate(ERROR_TABLE[code].message, details))
    if (options.cause !== undefined) this.cause = options.cause
    this.code = code
    this.name = code
    this.errorClass = ERROR_TABLE[code].class
    this.details = details
  }

  /** What to do about it: the remedy of the error table with this error's details filled in. */
  get remedy(): string {
    return fillTemplate(ERROR_TABLE[this.code].remedy, this.details)
  }

  /** The exit status of a command that ends with this error (sysexits). */
  get exitCode(): number {
    return EXIT_CODES[this.code] ?? EXIT_BY_CLASS[this.errorClass]
  }

  toJSON(): SerializedError {
    const cause = this.cause === undefined ? {} : { cause: describeUnknown(this.cause) }
    return { code: this.code, message: this.message, details: this.details, ...cause }
  }

  static fromJSON(json: SerializedError): LabanError {
    return new LabanError(json.code, json.details, { message: json.message, cause: json.cause })
  }
}

const EXIT_BY_CLASS: Readonly<Record<ErrorClass, number>> = {
  retry: 75,
  terminal: 65,
  startup: 69,
  control: 0,
  bug: 70,
}
const EXIT_CODES: Partial<Record<ErrorCode, number>> = Object.fromEntries(
  Object.entries(ERROR_TABLE).flatMap(([code, row]) => ('exit' in row ? [[code, row.exit]] : [])),
)

/** True for a {@link LabanError} from any copy of the package. */
export function isLabanError(value: unknown): value is LabanError {
  return typeof value === 'object' && value !== null && BRAND in value
}

/** One line that says what an unknown thrown value was, never throwing itself. */
export function describeUnknown(value: unknown): string {
  if (value instanceof Error) return value.message === '' ? value.name : value.message
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

function fillTemplate(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = details[name]
    return value === undefined ? whole : String(value)
  })
}
