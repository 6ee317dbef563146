/** Large results on disk: whole or not there. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFileResultStore } from '../../../../../runtime/adapters/file/result-store.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'laban-results-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('results in files', () => {
  it('come back as they were, also to another process', async () => {
    const bytes = Buffer.alloc(300_000, 'result')
    await createFileResultStore(folder).put('a.b/1/x', bytes)
    await createFileResultStore(folder).put('a.b/1/x', bytes)
    expect((await createFileResultStore(folder).get('a.b/1/x'))?.equals(bytes)).toBe(true)
    expect(readdirSync(join(folder, 'a.b/1'))).toEqual(['x'])
  })

  it('are undefined when they are not there', async () => {
    expect(await createFileResultStore(folder).get('a.b/1/none')).toBeUndefined()
  })

  it('name the folder when it cannot be used', async () => {
    const blocked = join(folder, 'file')
    writeFileSync(blocked, '')
    await expect(createFileResultStore(blocked).put('a/b', Buffer.alloc(1))).rejects.toMatchObject({
      code: 'LABAN_STEP_RESULT_STORE',
      errorClass: 'retry',
      details: { folder: blocked },
    })
  })
})
