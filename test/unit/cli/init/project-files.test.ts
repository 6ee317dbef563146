import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeProject } from '../../../../cli/init/project-files.ts'
import { runLaban } from '../../../harness/run-laban.ts'
import { temporaryFolder } from '../../../harness/temporary-folder.ts'

const FILES = [
  '.dockerignore',
  '.gitignore',
  'Dockerfile',
  'README.md',
  'contracts/avro/orders/order-confirmed.avsc',
  'contracts/avro/orders/order-placed.avsc',
  'contracts/generated/events.ts',
  'contracts/topics.json',
  'laban.config.json',
  'package.json',
  'samples/orders.csv',
  'services/orders/confirm-order.test.ts',
  'services/orders/confirm-order.ts',
  'tsconfig.json',
]

describe('laban init', () => {
  it('makes a project whose types are up to date', async () => {
    const parent = await temporaryFolder()
    const { code, stdout, stderr } = await runLaban(['init', 'My Shop'], { cwd: parent })
    expect(code, stderr).toBe(0)
    const lines = stdout.trim().split('\n').toSorted()
    expect(lines).toEqual(FILES.map((path) => `+ ${path}`))
    expect(stderr).toContain('npm install')
    const dir = join(parent, 'My Shop')
    const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Record<string, unknown>
    expect(manifest).toMatchObject({ name: 'my-shop', type: 'module', private: true })
    for (const path of FILES) expect(readFileSync(join(dir, path), 'utf8'), path).not.toContain('{{')
    expect((await runLaban(['generate', '--check'], { cwd: dir })).code).toBe(0)
    expect((await runLaban(['config', 'print'], { cwd: dir })).code).toBe(0)
  })

  it('refuses a folder that holds something, and leaves it as it is', async () => {
    const dir = await temporaryFolder()
    writeFileSync(join(dir, 'thesis.txt'), 'years of work')
    const { code, stderr } = await runLaban(['init'], { cwd: dir })
    expect(code).toBe(73)
    expect(stderr).toMatch(/LABAN_INIT_NOT_EMPTY[\s\S]*thesis.txt[\s\S]*--merge/)
    expect(readdirSync(dir)).toEqual(['thesis.txt'])
  })

  it('adds what is missing when told to, and changes nothing that is there', async () => {
    const dir = await temporaryFolder()
    writeFileSync(join(dir, 'package.json'), '{}')
    mkdirSync(join(dir, 'services/orders'), { recursive: true })
    writeFileSync(join(dir, 'services/orders/confirm-order.ts'), '// mine')
    const { written, kept } = writeProject({ dir, version: '1.2.3', merge: true })
    expect(kept).toEqual(['package.json', 'services/orders/confirm-order.ts'])
    expect([...written, ...kept].toSorted()).toEqual(FILES)
    expect(readFileSync(join(dir, 'services/orders/confirm-order.ts'), 'utf8')).toBe('// mine')
    expect(writeProject({ dir, version: '1.2.3', merge: true }).written).toEqual([])
  })

  it('counts a fresh repository as empty', async () => {
    const dir = await temporaryFolder()
    mkdirSync(join(dir, '.git'))
    expect(writeProject({ dir, version: '1.2.3', merge: false }).kept).toEqual([])
  })

  it('never calls the project laban: npm could not install laban into it', async () => {
    const dir = join(await temporaryFolder(), 'laban')
    writeProject({ dir, version: '1.2.3', merge: false })
    expect(readFileSync(join(dir, 'package.json'), 'utf8')).toContain('"name": "my-agents"')
    expect(readFileSync(join(dir, 'package.json'), 'utf8')).toContain('"laban": "1.2.3"')
  })
})
