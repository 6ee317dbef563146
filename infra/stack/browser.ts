/** The browser that tests look at the console with: Chromium from the machine's packages. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ensureProgram } from './toolchain.ts'

/** Path of `chromium`; installs it with apt when there is none. */
export function ensureBrowser(): Promise<string> {
  const cacheDir = process.env['LABAN_CACHE_DIR'] ?? join(homedir(), '.cache', 'laban')
  return ensureProgram(cacheDir, 'chromium', 'chromium')
}
