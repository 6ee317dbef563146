/** What the table of errors says of each. */

/** What the pipeline does: retry with backoff, dead-letter at once, refuse to start, no failure at all, or stop the process. */
export type ErrorClass = 'retry' | 'terminal' | 'startup' | 'control' | 'bug'

/** One row: `message` and `remedy` may hold `{placeholders}` that the error's details fill. */
export interface ErrorDefinition {
  readonly class: ErrorClass
  readonly message: string
  readonly cause: string
  readonly remedy: string
  /** Exit status of the CLI where it differs from the class's own. */
  readonly exit?: number
}
