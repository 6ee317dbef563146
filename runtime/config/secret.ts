/** A value that must not appear in logs, errors or printed configuration: only `reveal()` gives it away. */
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { LabanError } from '../../contracts/errors.ts'

const REDACTED = '[secret]'

/** A password or token. Made from text, or from a file that is read again at every use, so that a rotated secret takes effect. */
export class Secret {
  readonly #read: () => string

  private constructor(read: () => string) {
    this.#read = read
  }

  /** A secret that is known now and never changes. */
  static of(text: string): Secret {
    return new Secret(() => text)
  }

  /** A secret in a file; one line break at the end does not count. */
  static fromFile(path: string): Secret {
    return new Secret(() => readSecretFile(path))
  }

  /**
   * The value. Ask each time a connection is made instead of keeping it.
   * @throws LABAN_CONFIG_INVALID when its file cannot be read or is empty
   */
  reveal(): string {
    return this.#read()
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}

/** A URL, or several with commas between, with passwords replaced, for people and logs; other text comes back as it is. */
export function redactUrl(text: string): string {
  return text.replace(/(^|,\s*)([a-z][a-z0-9+.-]*:\/\/[^/@:]*):[^@/]*@/gi, `$1$2:${REDACTED}@`)
}

function readSecretFile(path: string): string {
  const problem = (text: string, cause?: unknown): LabanError =>
    new LabanError('LABAN_CONFIG_INVALID', { path: 'the secret', origin: path, problem: text }, { cause })
  let text: string
  try {
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw problem('the file cannot be read', error)
  }
  if (text === '') throw problem('the file is empty')
  return text
}
