/** The files of a new project: the templates beside this file, filled in. What is there already is never touched. */
import { existsSync, globSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateTypes, loadContracts } from '../../contracts/index.ts'
import { LabanError } from '../../runtime/internal.ts'

const TEMPLATES = fileURLToPath(new URL('./template/', import.meta.url))
const ENDING = '.template'
/** What a folder may hold and still count as empty. */
const NOTHING = new Set(['.git', '.DS_Store'])
const TYPES_FILE = 'contracts/generated/events.ts'

/** What was done, as paths from the project's folder. */
export interface ProjectFiles {
  readonly written: readonly string[]
  /** Were there before and are as they were. */
  readonly kept: readonly string[]
}

/** How to make a project. */
export interface ProjectOptions {
  readonly dir: string
  /** Version of laban that the project will depend on. */
  readonly version: string
  /** Also into a folder that holds something. */
  readonly merge: boolean
}

/** Writes a project. @throws LABAN_INIT_NOT_EMPTY unless `merge` is set */
export function writeProject({ dir, version, merge }: ProjectOptions): ProjectFiles {
  const found = existsSync(dir) ? readdirSync(dir).filter((name) => !NOTHING.has(name)) : []
  if (found.length > 0 && !merge) throw new LabanError('LABAN_INIT_NOT_EMPTY', { dir, found: listed(found) })
  const values = { name: packageName(dir), version }
  const written: string[] = []
  const kept: string[] = []
  for (const template of globSync(`**/*${ENDING}`, { cwd: TEMPLATES }).sort()) {
    const path = pathOf(template)
    const text = fill(readFileSync(join(TEMPLATES, template), 'utf8'), values)
    ;(writeNew(join(dir, path), text) ? written : kept).push(path)
  }
  const types = generateTypes(loadContracts({ dir: join(dir, 'contracts') }))
  ;(writeNew(join(dir, TYPES_FILE), types) ? written : kept).push(TYPES_FILE)
  return { written, kept }
}

/** `_gitignore.template` is `.gitignore`: npm would leave out a file of that name, or obey it. */
function pathOf(template: string): string {
  return template.slice(0, -ENDING.length).replace(/(^|[\\/])_/, '$1.')
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '')
}

/** False when the file exists: it is left as it is, also when it appears at this very moment. */
function writeNew(file: string, text: string): boolean {
  mkdirSync(dirname(file), { recursive: true })
  try {
    writeFileSync(file, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** The folder's name as npm allows it. */
function packageName(dir: string): string {
  const name = basename(dir)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '')
  // npm refuses to install a package into a project of the same name.
  return name === '' || name === 'laban' ? 'my-agents' : name
}

const SHOWN = 3

function listed(names: readonly string[]): string {
  const more = names.length - SHOWN
  return names.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
