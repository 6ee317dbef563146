/** A copy of the checkout as a fresh clone would be, without what was run in it before: no `.laban`, its own `laban` command. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execFileSync } from 'node:child_process'

const projectDir = join(import.meta.dirname, '..', '..')

/** A copy in a temporary folder; dispose of it with `remove`. */
export interface CheckoutCopy {
  readonly dir: string
  remove(): void
}

/** Copies what git knows or would know. Packages are linked, one by one, so that `npm ci` is not needed. */
export function copyCheckout(): CheckoutCopy {
  const dir = mkdtempSync(join(tmpdir(), 'laban-docs-'))
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: projectDir,
    encoding: 'utf8',
  })
  for (const path of listed.split('\0').filter((name) => name !== '' && existsSync(join(projectDir, name)))) {
    mkdirSync(join(dir, dirname(path)), { recursive: true })
    cpSync(join(projectDir, path), join(dir, path))
  }
  linkPackages(dir)
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

function linkPackages(dir: string): void {
  const from = join(projectDir, 'node_modules')
  const to = join(dir, 'node_modules')
  mkdirSync(join(to, '.bin'), { recursive: true })
  for (const name of readdirSync(from).filter((entry) => !entry.startsWith('.')))
    symlinkSync(join(from, name), join(to, name))
  for (const name of readdirSync(join(from, '.bin')).filter((entry) => entry !== 'laban')) {
    symlinkSync(join(from, '.bin', name), join(to, '.bin', name))
  }
  symlinkSync(join(dir, 'bin', 'laban.js'), join(to, '.bin', 'laban'))
}
