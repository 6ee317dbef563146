/** `dev.json` counts only while its process lives, and only its owner can read it. */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDevFile, removeDevFile, writeDevFile } from '../../../../runtime/compose/dev-file.ts'
import { emptyFolder } from '../../../harness/run-laban.ts'

const address = { url: 'http://127.0.0.1:1', token: 'secret', pid: process.pid }

describe('dev file', () => {
  it('is found while its process lives, and is private', async () => {
    const dir = join(emptyFolder(), 'state')
    expect(readDevFile(dir)).toBeUndefined()
    await writeDevFile(dir, address)
    expect(readDevFile(dir)).toEqual(address)
    expect(statSync(join(dir, 'dev.json')).mode & 0o077).toBe(0)
  })

  it('does not count when its process is gone', async () => {
    const dir = emptyFolder()
    const { pid } = spawnSync(process.execPath, ['--version'])
    await writeDevFile(dir, { ...address, pid })
    expect(readDevFile(dir)).toBeUndefined()
  })

  it('is removed by its owner only', async () => {
    const dir = emptyFolder()
    await writeDevFile(dir, address)
    await removeDevFile(dir, process.pid + 1)
    expect(readDevFile(dir)).toEqual(address)
    await removeDevFile(dir, process.pid)
    expect(readDevFile(dir)).toBeUndefined()
  })
})
