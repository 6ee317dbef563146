/**
 * `npm run build [-- <folder>]`: compiles what the published package contains, into `dist` or the folder given. Files that the
 * code reads at run time go along; the compiler would leave them behind. Sources are shipped beside `dist` for the maps, so
 * that an editor shows them; of the command line and the demonstration only what runs is kept.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const projectDir = join(import.meta.dirname, '..')
const outDir = resolve(projectDir, process.argv[2] ?? 'dist')

rmSync(outDir, { recursive: true, force: true })
compile()
copyRuntimeFiles()
packDemonstration()
bundleConsole()
for (const folder of ['cli', 'console', 'demo', 'services']) keepOnlyWhatRuns(join(outDir, folder))

function compile(): void {
  const tsc = join(projectDir, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir]
  execFileSync(process.execPath, args, { cwd: projectDir, stdio: 'inherit' })
  // The types of our own events are nobody else's.
  rmSync(join(outDir, 'contracts', 'generated'), { recursive: true })
}

function copyRuntimeFiles(): void {
  for (const path of globSync('{contracts,runtime,tracing,cli}/**/*.{lua,template}', { cwd: projectDir })) {
    copy(path, path)
  }
}

/** `laban demo` works wherever the package is: its agents, sample and contracts lie in a folder like a project's. */
function packDemonstration(): void {
  mkdirSync(join(outDir, 'demo', 'services'), { recursive: true })
  renameSync(join(outDir, 'services', 'credit'), join(outDir, 'demo', 'services', 'credit'))
  copy('services/credit/sample', 'demo/services/credit/sample')
  for (const name of ['avro', 'history', 'topics.json']) copy(`contracts/${name}`, `demo/contracts/${name}`)
}

function bundleConsole(): void {
  const args = [join(projectDir, 'infra', 'build-console.ts'), join(outDir, 'console', 'web')]
  execFileSync(process.execPath, args, { cwd: projectDir, stdio: 'inherit' })
}

function keepOnlyWhatRuns(dir: string): void {
  for (const file of globSync('**/*.{d.ts,map}', { cwd: dir })) rmSync(join(dir, file))
  for (const file of globSync('**/*.js', { cwd: dir })) {
    const code = readFileSync(join(dir, file), 'utf8')
    writeFileSync(join(dir, file), code.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n'))
  }
}

function copy(from: string, to: string): void {
  mkdirSync(join(outDir, dirname(to)), { recursive: true })
  cpSync(join(projectDir, from), join(outDir, to), { recursive: true })
}
