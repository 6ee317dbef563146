/** Keeps downloaded and built programs: each is made once, in a scratch folder, and appears complete or not at all. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { withLock } from './lock.ts'
import { say } from './shell.ts'

/**
 * Folder of a cached program; makes it when it is missing.
 * @param name folder name, which must hold the version
 * @param make fills the empty scratch folder it is given
 */
export async function ensureCached(
  cacheDir: string,
  name: string,
  make: (scratchDir: string) => Promise<void>,
): Promise<string> {
  const target = join(cacheDir, name)
  if (existsSync(target)) return target
  await mkdir(cacheDir, { recursive: true })
  await withLock(join(cacheDir, `${name}.lock`), async () => {
    if (existsSync(target)) return
    say(`${name}: fetching`)
    const startedMs = Date.now()
    const scratch = await mkdtemp(join(cacheDir, `${name}.part-`))
    try {
      await make(scratch)
      await rename(scratch, target)
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
    say(`${name}: ready in the cache after ${Math.round((Date.now() - startedMs) / 1000)} s`)
  })
  return target
}
