/** The package as users get it: compiled, without sources and without the conditions of the checkout. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectDir, projectFiles, read } from './project-files.ts'

const manifest = JSON.parse(read('package.json')) as {
  readonly version: string
  readonly files: readonly string[]
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
}

describe('the built package', () => {
  let dir = ''

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'laban-package-'))
    node([join(projectDir, 'infra', 'build.ts'), join(dir, 'dist')], projectDir)
    for (const path of ['package.json', ...manifest.files.filter((name) => name !== 'dist')]) {
      if (existsSync(join(projectDir, path))) cpSync(join(projectDir, path), join(dir, path), { recursive: true })
    }
    symlinkSync(join(projectDir, 'node_modules'), join(dir, 'node_modules'))
  }, 120_000)

  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it('has every file that its exports name', () => {
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : [target['types'], target['default']],
    )
    expect(targets.filter((path) => path === undefined || !existsSync(join(dir, path)))).toEqual([])
  })

  it('has every file that its code reads beside itself', () => {
    const scripts = projectFiles().filter((path) => /^(contracts|runtime|tracing|cli)\/.*\.lua$/.test(path))
    expect(scripts.filter((path) => !existsSync(join(dir, 'dist', path)))).toEqual([])
  })

  it('can be imported at every entry point', () => {
    const entries = Object.keys(manifest.exports).filter((path) => path !== './package.json')
    const script = entries.map((path) => `await import('laban${path.slice(1)}')`).join('\n')
    expect(node(['--input-type=module', '--eval', `${script}\nconsole.log('imported')`], dir)).toBe('imported\n')
  })

  it('starts its command', () => {
    expect(node([join('bin', 'laban.js'), '--version'], dir).trim()).toBe(manifest.version)
  })
})

function node(args: readonly string[], cwd: string): string {
  return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
