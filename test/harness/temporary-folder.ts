/** A folder of one test, removed when the test has ended. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Makes an empty folder; call it inside a test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'laban-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
