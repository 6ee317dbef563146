/** The browser that tests look at the console with: Chromium or Chrome of the machine, else Chromium from its packages. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './shell.ts'
import { ensureProgram } from './toolchain.ts'

/** Where a distribution's own `chromium` is something else, these are the same browser. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** Path of the browser; installs one with apt when there is none. */
export function ensureBrowser(): Promise<string> {
  const found = NAMES.map((name) => findProgram(name)).find((path) => path !== undefined)
  if (found !== undefined) return Promise.resolve(found)
  const cacheDir = process.env['LABAN_CACHE_DIR'] ?? join(homedir(), '.cache', 'laban')
  return ensureProgram(cacheDir, 'chromium', 'chromium')
}
