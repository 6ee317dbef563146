import { spawnSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { offload } from '../../../../runtime/threads/offload.ts'
import { longestStallMs } from '../../../harness/loop-stall.ts'
import { temporaryFolder } from '../../../harness/temporary-folder.ts'
import { sumOfSines } from './heavy.ts'

const heavyModule = new URL('./heavy.ts', import.meta.url)
const inThread = offload<typeof import('./heavy.ts')>(heavyModule)

describe('offload', () => {
  it('runs a function in another thread and gives its result', async () => {
    expect(await inThread('isInMainThread', null)).toBe(false)
    expect(await inThread('sumOfSines', { terms: 1_000 })).toBe(sumOfSines({ terms: 1_000 }))
  })

  it('leaves the event loop free where the same call inline holds it', async () => {
    await inThread('isInMainThread', null)
    const terms = 8_000_000
    const inline = await longestStallMs(() => sumOfSines({ terms }))
    const offloaded = await longestStallMs(() => inThread('sumOfSines', { terms }))
    expect(inline).toBeGreaterThan(200)
    expect(offloaded).toBeLessThan(inline / 2)
  })

  it('passes on what the function throws', async () => {
    await expect(inThread('fail', { reason: 'out of range' })).rejects.toMatchObject({
      name: 'RangeError',
      message: 'out of range',
    })
  })

  it('ends a thread whose call is aborted, and takes the next call', async () => {
    const oneThread = offload<typeof import('./heavy.ts')>(heavyModule, { maxThreads: 1 })
    await oneThread('isInMainThread', null)
    const abort = new AbortController()
    const endless = oneThread('spin', null, { signal: abort.signal })
    abort.abort()
    await expect(endless).rejects.toMatchObject({ name: 'AbortError' })
    expect(await oneThread('isInMainThread', null)).toBe(false)
  })

  it('does not start a call whose signal is aborted already', async () => {
    await expect(inThread('spin', null, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('refuses a module that is not there, at once', () => {
    expect(() => offload(new URL('./nowhere.ts', import.meta.url))).toThrow(
      expect.objectContaining({ code: 'LABAN_OFFLOAD_MISSING' }),
    )
  })

  it('rejects the call when the module cannot be loaded', async () => {
    const file = join(await temporaryFolder(), 'broken.mjs')
    writeFileSync(file, `throw new Error('broken on purpose')`)
    const broken = offload<{ run(input: null): void }>(pathToFileURL(file))
    await expect(broken('run', null)).rejects.toThrow('broken on purpose')
  })

  it('finds the compiled module beside the name of its source', async () => {
    const folder = await temporaryFolder()
    writeFileSync(join(folder, 'twice.js'), 'export const twice = (number) => 2 * number')
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const compiled = offload<{ twice(number: number): number }>(pathToFileURL(join(folder, 'twice.ts')))
    expect(await compiled('twice', 21)).toBe(42)
  })

  it('keeps no process alive once its calls are answered', async () => {
    const folder = await temporaryFolder()
    copyFileSync(heavyModule, join(folder, 'heavy.ts'))
    const source = new URL('../../../../runtime/threads/offload.ts', import.meta.url)
    const main = join(folder, 'main.ts')
    writeFileSync(
      main,
      `import { offload } from ${JSON.stringify(source.href)}
const inThread = offload(new URL('./heavy.ts', import.meta.url), { idleMs: 600_000 })
console.log(await inThread('isInMainThread', null))`,
    )
    const { stdout, stderr, status } = spawnSync(process.execPath, [main], { encoding: 'utf8', timeout: 12_000 })
    expect({ stdout, stderr, status }).toEqual({ stdout: 'false\n', stderr: '', status: 0 })
  })
})
