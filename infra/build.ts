/**
 * `npm run build [-- <folder>]`: compiles what the published package contains, into `dist` or the folder given. Files that the
 * code reads at run time go along; the compiler would leave them behind.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const projectDir = join(import.meta.dirname, '..')
const outDir = resolve(projectDir, process.argv[2] ?? 'dist')
const tsc = join(projectDir, 'node_modules', 'typescript', 'bin', 'tsc')

rmSync(outDir, { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir], {
  cwd: projectDir,
  stdio: 'inherit',
})
for (const path of globSync('{contracts,runtime,tracing,cli}/**/*.{lua,template}', { cwd: projectDir })) {
  mkdirSync(join(outDir, dirname(path)), { recursive: true })
  cpSync(join(projectDir, path), join(outDir, path))
}
