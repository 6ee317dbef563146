/** The package as it would be published: packed, judged by the tools that users' tools agree with, installed into an empty folder. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const projectDir = join(import.meta.dirname, '..', '..')
/** What a download may cost. Raise it on purpose, in the commit that needs it. */
const MAX_PACKED_BYTES = 1_900_000
const MAX_UNPACKED_BYTES = 7_500_000
/** `laban`, its three subpaths and package.json. */
const ENTRIES = 6

interface Packed {
  readonly filename: string
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string }[]
}

describe('the package', () => {
  let dir = ''
  let packed: Packed
  let tarball = ''

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'laban-package-'))
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', dir], projectDir)
    // The output of the build comes first.
    const [first] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]$/m))) as Record<string, Packed>)
    if (first === undefined) throw new Error(stdout)
    packed = first
    tarball = join(dir, packed.filename)
  }, 300_000)

  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it('is small enough', () => {
    console.log(`${packed.size} bytes packed, ${packed.unpackedSize} unpacked, ${packed.files.length} files`)
    expect(packed.size).toBeLessThan(MAX_PACKED_BYTES)
    expect(packed.unpackedSize).toBeLessThan(MAX_UNPACKED_BYTES)
  })

  it('holds what it needs and nothing of ours alone', () => {
    const paths = packed.files.map(({ path }) => path)
    expect(paths).toEqual(
      expect.arrayContaining([
        'README.md',
        'LICENSE',
        'bin/laban.js',
        'contracts/platform/fact.avsc',
        'dist/runtime/adapters/redis/scripts/claim.lua',
        'dist/runtime/agent.d.ts.map',
        'runtime/agent.ts',
        'dist/cli/init/template/package.json.template',
        'dist/cli/init/template/_gitignore.template',
        'dist/demo/services/credit/sample/applications.csv',
      ]),
    )
    const ours = /^(test|bench|docs|infra|services|cli)\/|\.test\.ts$|generated\/|^dist\/(cli|demo)\/.*\.(map|d\.ts)$/
    expect(paths.filter((path) => ours.test(path))).toEqual([])
  })

  it('has types that every way of importing finds (attw)', async () => {
    const { stdout } = await run('attw', [tarball, '--profile', 'esm-only', '--format', 'json'], dir)
    // It fails by its exit status; this says that it looked at every entry.
    const { analysis } = JSON.parse(stdout) as { analysis: { entrypoints: Record<string, unknown> } }
    expect(Object.keys(analysis.entrypoints)).toHaveLength(ENTRIES)
  })

  it('is well formed (publint)', async () => {
    expect((await run('publint', [tarball, '--strict'], dir)).stdout).toContain('All good!')
  })

  it('works where nothing else is', { timeout: 300_000 }, async () => {
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }')
    await run('npm', ['install', tarball], dir)
    const laban = join(dir, 'node_modules', '.bin', 'laban')
    expect(`laban-${(await run(laban, ['--version'], dir)).stdout.trim()}.tgz`).toBe(packed.filename)
    const { stdout } = await run(laban, ['demo'], dir)
    expect(stdout).toContain('40 of 40 flows are complete')
    const again = /npx laban (flow .+)$/m.exec(stdout)?.[1]?.split(' ') ?? expect.fail(stdout)
    expect((await run(laban, again, dir)).stdout).toContain('complete: 7 of 7 reactions ended')
    const script = `import 'laban'; import 'laban/contracts'; import 'laban/outbox'; import 'laban/tracing'; import { choreography } from 'laban/testing'
      console.log(typeof choreography)`
    expect((await run('node', ['--input-type=module', '--eval', script], dir)).stdout).toBe('function\n')
  })
})

/** Runs a program with the tools of the project in its path. @throws with what it said when it fails */
async function run(program: string, args: readonly string[], cwd: string): Promise<{ stdout: string }> {
  const path = [join(projectDir, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter)
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|LABAN_|NODE_OPTIONS)/.test(name))
  const env = { ...Object.fromEntries(inherited), PATH: path, NO_COLOR: '1' }
  return promisify(execFile)(program, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 })
}
