/** The documentation does what it says: every runnable block of a page is run, in order, in a fresh copy of the checkout. */
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { copyCheckout } from '../harness/checkout-copy.ts'
import { commandsOf, missingLine, scriptOf, type DocCommand } from '../harness/doc-commands.ts'

const projectDir = join(import.meta.dirname, '..', '..')
const pages = globSync(['README.md', 'docs/{learn,guides}/*.md'], { cwd: projectDir })
  .toSorted()
  .map((page) => ({ page, commands: commandsOf(readFileSync(join(projectDir, page), 'utf8')) }))
  .filter(({ commands }) => commands.length > 0)

const SEPARATOR = '\u0001'

describe('commands in the documentation', () => {
  it('are there', () => {
    expect(pages.map(({ page }) => page)).toEqual(expect.arrayContaining(['README.md', 'docs/learn/first-flow.md']))
  })

  it.each(pages)('$page', { timeout: 300_000 }, async ({ page, commands }) => {
    const copy = copyCheckout()
    try {
      const { code, output } = await runAll(copy.dir, commands)
      const parts = output.split(SEPARATOR)
      expect(code, `${page} failed after ${parts.length - 1} of ${commands.length} blocks:\n${output}`).toBe(0)
      commands.forEach(({ line, expected }, index) => {
        const printed = parts[index] ?? ''
        expect(missingLine(printed, expected), `${page}:${line} printed:\n${printed}`).toBeUndefined()
      })
    } finally {
      copy.remove()
    }
  })
})

const temporaries: string[] = []
// Once more: a program of a page that lets go of its output may end later than its page.
afterAll(() => {
  for (const temporary of temporaries) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 })
})

/** One shell for the whole page, so that variables and background programs live on; what it started ends with it. */
function runAll(dir: string, commands: readonly DocCommand[]): Promise<{ code: number | null; output: string }> {
  const script = scriptOf(commands, '\\001').replaceAll('npm ci && ', '')
  const temporary = mkdtempSync(join(tmpdir(), 'laban-docs-tmp-'))
  temporaries.push(temporary)
  // npm tells the programs it runs about the project they run in; a page's commands run in others.
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: dir,
    // A group of its own, to end background programs of the page together.
    detached: true,
    env: {
      ...Object.fromEntries(inherited),
      TMPDIR: temporary,
      // It would be written there when a program ends, maybe after the folder has been removed.
      NODE_DISABLE_COMPILE_CACHE: '1',
      PATH: `${join(dir, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
      NO_COLOR: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    // Background programs of the page hold the output open until they have ended too.
    child.on('exit', () => endGroup(child.pid))
    child.on('close', (code) => {
      rmSync(temporary, { recursive: true, force: true })
      resolve({ code, output })
    })
  })
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGTERM')
  } catch {
    // Nothing of it runs any more.
  }
}
