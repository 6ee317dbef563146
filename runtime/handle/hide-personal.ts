/**
 * Takes what is personal out of an error before anything is written of it: facts, dead letters, spans and logs are read by more
 * people than the event is. The values of the handled event are known then; later only its bytes would tell.
 */
import { isLabanError, LabanError } from '../../contracts/errors.ts'
import { hideTexts } from '../../contracts/personal-values.ts'

/** How far down the causes of an error it is looked. */
const MAX_DEPTH = 8

/** The same error where nothing of it is personal, else a copy that says the same without. */
export function hidePersonal(error: LabanError, texts: readonly string[]): LabanError {
  if (texts.length === 0 || !says(error, texts, 0)) return error
  return copyOf(error, texts, 0) as LabanError
}

function says(error: unknown, texts: readonly string[], depth: number): boolean {
  if (!(error instanceof Error)) return typeof error === 'string' && hideTexts(error, texts) !== error
  const own = `${error.message}\n${String(error.stack)}`
  return hideTexts(own, texts) !== own || (depth < MAX_DEPTH && says(error.cause, texts, depth + 1))
}

function copyOf(error: unknown, texts: readonly string[], depth: number): unknown {
  const hide = (text: string): string => hideTexts(text, texts)
  if (typeof error === 'string') return hide(error)
  // What else was thrown may hold anything; its own text stands in the message already.
  if (!(error instanceof Error)) return undefined
  const cause = depth < MAX_DEPTH ? copyOf(error.cause, texts, depth + 1) : undefined
  const copy = isLabanError(error)
    ? new LabanError(error.code, hiddenDetails(error, hide), { message: hide(error.message), cause })
    : new Error(hide(error.message), { cause })
  copy.name = error.name
  copy.stack = hide(String(error.stack))
  return copy
}

function hiddenDetails({ details }: LabanError, hide: (text: string) => string): LabanError['details'] {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [name, typeof value === 'string' ? hide(value) : value]),
  )
}
