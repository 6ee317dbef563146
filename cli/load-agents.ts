/** Loads agent files: paths as given, or globs of the configuration. A file's default export is its agent. */
import { globSync, statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describeUnknown, isAgent, isLabanError, LabanError, type Agent } from '../runtime/internal.ts'

/** An agent and where it came from. */
export interface LoadedAgent {
  readonly agent: Agent
  /** Absolute path. */
  readonly file: string
}

/** Files that must each define an agent. The extension may be left out. @throws LABAN_AGENT_NOT_FOUND, LABAN_AGENT_INVALID */
export async function loadAgentFiles(files: readonly string[], baseDir: string): Promise<LoadedAgent[]> {
  const loaded = await Promise.all(files.map((file) => loadAgent(findFile(file, baseDir), file)))
  checkNames(loaded)
  return loaded
}

/** Files that match the globs and define an agent; others are passed over. @throws LABAN_AGENT_NOT_FOUND when there is none */
export async function discoverAgents(globs: readonly string[], baseDir: string): Promise<LoadedAgent[]> {
  const found = await Promise.all(
    findAgentFiles(globs, baseDir).map(async (file) => {
      const exported = await importDefault(file, file)
      return isAgent(exported) ? [{ agent: exported, file }] : []
    }),
  )
  const loaded = found.flat()
  if (loaded.length === 0) {
    throw new LabanError('LABAN_AGENT_NOT_FOUND', {
      file: globs.join(', '),
      problem: 'no file that matches defines an agent',
    })
  }
  checkNames(loaded)
  return loaded
}

/** What files define, and what is wrong with those that define nothing or cannot be loaded. */
export interface ImportedAgents {
  /** Two may have one name. */
  readonly agents: readonly LoadedAgent[]
  readonly problems: readonly { readonly file: string; readonly error: LabanError }[]
}

/** Loads all that can be loaded, for checks that report everything at once: named files, else those that the globs find. */
export async function importAgents(
  files: readonly string[],
  globs: readonly string[],
  baseDir: string,
): Promise<ImportedAgents> {
  const agents: LoadedAgent[] = []
  const problems: { file: string; error: LabanError }[] = []
  const attempt = async (file: string, load: () => Promise<LoadedAgent | undefined>): Promise<void> => {
    try {
      const loaded = await load()
      if (loaded !== undefined) agents.push(loaded)
    } catch (error) {
      if (!isLabanError(error)) throw error
      problems.push({ file: resolve(baseDir, file), error })
    }
  }
  for (const file of files) await attempt(file, () => loadAgent(findFile(file, baseDir), file))
  if (files.length > 0) return { agents, problems }
  for (const file of findAgentFiles(globs, baseDir)) {
    await attempt(file, async () => {
      const agent = await importDefault(file, file)
      return isAgent(agent) ? { agent, file } : undefined
    })
  }
  return { agents, problems }
}

/** Absolute paths of the files that match the globs, tests left out. Whether one defines an agent shows when it is loaded. */
export function findAgentFiles(globs: readonly string[], baseDir: string): string[] {
  return globSync([...globs], { cwd: baseDir, exclude: ['**/*.test.ts', '**/node_modules/**'] })
    .sort()
    .map((name) => resolve(baseDir, name))
}

async function loadAgent(file: string, given: string): Promise<LoadedAgent> {
  const agent = await importDefault(file, given)
  if (isAgent(agent)) return { agent, file }
  throw new LabanError('LABAN_AGENT_NOT_FOUND', {
    file: given,
    problem: 'its default export is not made by defineAgent()',
  })
}

async function importDefault(file: string, given: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(file).href)) as { default?: unknown }).default
  } catch (error) {
    if (isLabanError(error)) throw error
    throw new LabanError('LABAN_AGENT_NOT_FOUND', { file: given, problem: describeUnknown(error) }, { cause: error })
  }
}

const EXTENSIONS = ['', '.ts', '.js', '.mts', '.mjs']

function findFile(given: string, baseDir: string): string {
  const path = isAbsolute(given) ? given : resolve(baseDir, given)
  const found = EXTENSIONS.map((extension) => path + extension).find((file) =>
    statSync(file, { throwIfNoEntry: false })?.isFile(),
  )
  if (found !== undefined) return found
  throw new LabanError('LABAN_AGENT_NOT_FOUND', { file: given, problem: 'the file does not exist' })
}

function checkNames(loaded: readonly LoadedAgent[]): void {
  const byName = new Map<string, string>()
  for (const { agent, file } of loaded) {
    const other = byName.get(agent.name)
    if (other !== undefined) {
      throw new LabanError('LABAN_AGENT_INVALID', {
        agent: agent.name,
        problem: `two files define it: ${other} and ${file}`,
      })
    }
    byName.set(agent.name, file)
  }
}
