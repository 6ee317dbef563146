/**
 * `npm run docs`: writes the reference pages from the tables they describe; with `--check` it writes nothing and fails on the
 * first page that is stale. A page in `docs/reference` is never edited by hand.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cliReference } from '../cli/reference.ts'
import { configReference, environmentExample } from '../runtime/config/reference.ts'
import { errorReference } from './generators/error-reference.ts'
import { metricsReference } from './generators/metrics-reference.ts'
import { verdictReference } from './generators/verdict-reference.ts'
import { publicApi } from './generators/public-api.ts'

const projectDir = join(import.meta.dirname, '..')

/** Path of each generated page, from the project folder, and what writes it. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/reference/api.txt': () => publicApi(projectDir),
  'docs/reference/cli.md': cliReference,
  'docs/reference/config.md': configReference,
  'docs/reference/errors.md': errorReference,
  'docs/reference/metrics.md': metricsReference,
  'docs/reference/verdicts.md': verdictReference,
  '.env.example': environmentExample,
}

/** Pages whose file differs from what its generator gives now. */
export function stalePages(): string[] {
  return Object.entries(PAGES)
    .filter(([path, generate]) => read(join(projectDir, path)) !== generate())
    .map(([path]) => path)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function main(args: readonly string[]): number {
  const stale = stalePages()
  if (args.includes('--check')) {
    for (const path of stale) process.stderr.write(`${path} is stale: run \`npm run docs\`\n`)
    return stale.length === 0 ? 0 : 1
  }
  for (const path of stale) {
    const target = join(projectDir, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, PAGES[path]?.() ?? '')
    process.stdout.write(`wrote ${relative(process.cwd(), target)}\n`)
  }
  return 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = main(process.argv.slice(2))
