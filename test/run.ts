/**
 * `npm test`: everything. First what needs only Node, then the real stack: started if it does not run, ended if it was started
 * here. Nothing is skipped: a server that cannot be started is named, its tests fail, and so does the whole.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const projectDir = join(import.meta.dirname, '..')
const resultsDir = join('.laban', 'test-results')

/** Runs Node in the project; gives the exit code and what was printed, which is shown as well unless `quiet`. */
function node(args: readonly string[], options: { quiet?: boolean; env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    cwd: projectDir,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', options.quiet === true ? 'pipe' : 'inherit', 'inherit'],
  })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

interface Ended {
  readonly code: number
  readonly output: string
}

/**
 * Runs one project of vitest.config.ts; its results go to `.laban/test-results/<project>.json`. Its temporary folders lie in one
 * that is its own: a test that leaves one behind fails the run.
 */
async function runProject(project: string): Promise<number> {
  const results = join(resultsDir, `${project}.json`)
  const vitest = join('node_modules', 'vitest', 'vitest.mjs')
  const temporary = mkdtempSync(join(tmpdir(), 'laban-run-'))
  try {
    const env = { LABAN_TEST_RESULTS: results, TMPDIR: temporary }
    const { code } = await node([vitest, 'run', '--project', project], { env })
    const left = readdirSync(temporary).filter((name) => name.startsWith('laban-'))
    if (left.length === 0) return code
    process.stderr.write(`tests of ${project} left temporary folders behind: ${left.join(', ')}\n`)
    return code === 0 ? 1 : code
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

const launcher = join('infra', 'stack', 'main.ts')

/** Names of the servers that do not run now. */
async function serversThatAreDown(): Promise<string[]> {
  const { output } = await node([launcher, 'status'], { quiet: true })
  return [...output.matchAll(/^(\w+)\s+(?!up\b)/gm)].map(([, name = '']) => name)
}

async function runOnRealStack(): Promise<number> {
  const ours = await serversThatAreDown()
  try {
    // A failed start is told by the launcher and again by test/integration/servers.test.ts; what did start is still tested.
    const started = ours.length === 0 ? 0 : (await node([launcher, 'up', '--only', ours.join(',')])).code
    const tested = await runProject('stack')
    return started === 0 ? tested : started
  } finally {
    if (ours.length > 0) await node([launcher, 'down', '--only', ours.join(',')])
  }
}

// Ctrl-C reaches the children by themselves; this process stays to end the servers that it started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (process.exitCode = 130))

rmSync(join(projectDir, resultsDir), { recursive: true, force: true })
mkdirSync(join(projectDir, resultsDir), { recursive: true })
const fast = await runProject('fast')
const stack = await runOnRealStack()
process.exitCode = fast === 0 ? stack : fast
