/** The checks that are programs of their own, each as one test: a format, lint, type, import or dead-code fault fails here. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectDir, SOURCE_FOLDERS } from './project-files.ts'

const existing = SOURCE_FOLDERS.filter((folder) => existsSync(join(projectDir, folder)))

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  'every file is formatted': [
    'prettier',
    '--check',
    '--cache',
    '--cache-strategy',
    'content',
    '--log-level',
    'warn',
    '.',
  ],
  'lint finds nothing': ['eslint', '.'],
  'types are right': ['tsc', '--noEmit', '-p', 'tsconfig.json'],
  'types of the page are right': ['tsc', '--noEmit', '-p', 'console/web'],
  'imports follow the layers, without cycles': ['depcruise', '--output-type', 'err-long', ...existing],
  'no dead files, exports or dependencies': ['knip', '--no-progress'],
}

describe('static checks', () => {
  for (const [name, [program = '', ...args]] of Object.entries(CHECKS)) {
    it(name, { timeout: 180_000 }, async () => {
      const { code, output } = await run(program, args)
      expect(code, `${[program, ...args].join(' ')}\n${output}`).toBe(0)
    })
  }
})

/** Runs a program of node_modules/.bin in the project and collects what it prints. */
function run(program: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const binDir = join(projectDir, 'node_modules', '.bin')
  const child = spawn(join(binDir, program), args, {
    cwd: projectDir,
    env: { ...process.env, PATH: `${binDir}${delimiter}${process.env['PATH'] ?? ''}`, NO_COLOR: '1', FORCE_COLOR: '0' },
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
    child.on('close', (code) => resolve({ code, output }))
  })
}
