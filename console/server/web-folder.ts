/**
 * Where the page is: beside the compiled server in the published package; in a checkout it is made from its sources when it is first
 * needed, and again after they have changed.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describeUnknown, LabanError } from '../../runtime/internal.ts'

const WEB_DIR = fileURLToPath(new URL('../web/', import.meta.url))
const BUILDER = fileURLToPath(new URL('../../infra/build-console.ts', import.meta.url))
const CACHE_DIR = fileURLToPath(new URL('../../.laban/console/', import.meta.url))
const HASH_CHARS = 16

/** Folder of the bundle. @throws LABAN_CONSOLE_PAGE when it is not there and cannot be made */
export async function webFolder(onBuild: () => void = () => undefined): Promise<string> {
  if (!existsSync(join(WEB_DIR, 'main.tsx'))) return bundleIn(WEB_DIR)
  const dir = join(CACHE_DIR, hashOfSources())
  if (!existsSync(join(dir, 'index.html'))) {
    onBuild()
    await build(dir)
  }
  return bundleIn(dir)
}

function bundleIn(dir: string): string {
  if (existsSync(join(dir, 'index.html'))) return dir
  throw new LabanError('LABAN_CONSOLE_PAGE', { problem: `${dir} does not hold it` })
}

/** The builder writes elsewhere and renames, so that a bundle is there whole or not at all. */
async function build(dir: string): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, [BUILDER, dir])
  } catch (error) {
    throw new LabanError('LABAN_CONSOLE_PAGE', { problem: describeUnknown(error) }, { cause: error })
  }
}

function hashOfSources(): string {
  const hash = createHash('sha256')
  for (const file of [BUILDER, ...globSync('**/*.{ts,tsx,css,html,svg}', { cwd: WEB_DIR }).sort()]) {
    hash.update(file === BUILDER ? '' : file).update(readFileSync(file === BUILDER ? file : join(WEB_DIR, file)))
  }
  return hash.digest('hex').slice(0, HASH_CHARS)
}
