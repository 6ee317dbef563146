/** The version of this laban. */
import { readFileSync } from 'node:fs'

/** As package.json says it; `unknown` when there is none. */
export function readVersion(): string {
  // Beside `cli` in a checkout, above `dist/cli` in the package.
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }
      return version
    } catch {
      continue
    }
  }
  return 'unknown'
}
