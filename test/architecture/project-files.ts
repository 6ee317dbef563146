/** What the architecture tests look at: the files that git tracks or would track, so that nothing local gets in the way. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

/** The folder of the checkout. */
export const projectDir = join(import.meta.dirname, '..', '..')

/** Folders at the top whose code this project owns. */
export const SOURCE_FOLDERS = [
  'contracts',
  'runtime',
  'tracing',
  'cli',
  'console',
  'services',
  'infra',
  'docs',
  'test',
  'bench',
]

/** Paths of all files of the project from its folder, sorted; a deleted file that is not committed yet is left out. */
export function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: projectDir,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const paths = [...new Set(listed.split('\0').filter((path) => path !== ''))]
  return paths.filter((path) => existsSync(join(projectDir, path))).sort()
}

const TEXT_ENDINGS = new Set([
  ...['.ts', '.tsx', '.js', '.json', '.md', '.yml', '.yaml', '.txt', '.avsc', '.lua', '.sh', '.css', '.html'],
  ...['.xml', '.mod', '.csv', '.jsonl', '.toml', '.sql', '.conf', '.properties', '.example', ''],
])

/** Text files of the project. */
export function textFiles(): string[] {
  return projectFiles().filter((path) => TEXT_ENDINGS.has(extname(path)))
}

/** Content of one file. */
export function read(path: string): string {
  return readFileSync(join(projectDir, path), 'utf8')
}
