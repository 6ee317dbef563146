/** The launcher's one error: what failed, and what the person can do about it. */

/** A failure with a remedy; `detail` carries the tail of a log when there is one. */
export class StackError extends Error {
  override readonly name = 'StackError'
  readonly remedy: string
  readonly detail: string

  constructor(message: string, remedy: string, detail = '') {
    super(message)
    this.remedy = remedy
    this.detail = detail
  }
}

/** Text for a person: message, detail, remedy. */
export function explain(error: unknown): string {
  if (!(error instanceof StackError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [error.message, error.detail.trim(), error.remedy].filter((part) => part !== '').join('\n')
}
