/**
 * Large results as files: `<folder>/<agent>/<handling>/<hash>`. A file appears under its name only when all of it is on the disk, so a
 * crash leaves either the whole result or none.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describeUnknown, LabanError } from '../../../contracts/errors.ts'
import type { ResultStore } from '../../ports/result-store.ts'

/** A store in a folder; on several machines it must be one that they share. Files are not removed: sweep them by age. */
export function createFileResultStore(folder: string): ResultStore {
  return {
    put: (id, bytes) => attempt(folder, () => write(join(folder, id), bytes)),
    get: (id) =>
      attempt(folder, async () => {
        try {
          return await readFile(join(folder, id))
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),
  }
}

async function write(path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  await mkdir(dirname(path), { recursive: true })
  const file = await open(temporary, 'wx')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path).catch(async (error: unknown) => {
    await rm(temporary, { force: true })
    throw error
  })
}

async function attempt<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new LabanError('LABAN_STEP_RESULT_STORE', { folder, problem: describeUnknown(error) }, { cause: error })
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
