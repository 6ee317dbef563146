/** Programs that know nothing of laban: kcat, and Python with an Avro and a Kafka library. Missing ones are installed, or named. */
import { join } from 'node:path'
import { ensureCached } from '../../infra/stack/cache.ts'
import { resolveSettings } from '../../infra/stack/settings.ts'
import { run } from '../../infra/stack/shell.ts'
import { ensureProgram, installPackage } from '../../infra/stack/toolchain.ts'

const { cacheDir } = resolveSettings(join(import.meta.dirname, '..', '..'), process.env)

const PYTHON_PACKAGES = ['confluent-kafka==2.16.1', 'fastavro==1.13.1']

/** Path of `kcat`. @throws StackError that says what to install */
export function ensureKcat(): Promise<string> {
  return ensureProgram(cacheDir, 'kcat', 'kcat')
}

/** Runs a Python script with the libraries; gives what it printed. @throws StackError with its last lines when it fails */
export async function runPython(script: string, args: readonly string[]): Promise<string> {
  const libraries = await ensurePythonLibraries()
  const python = await ensureProgram(cacheDir, 'python3', 'python3')
  return run(python, [script, ...args], { env: { ...process.env, PYTHONPATH: libraries } })
}

/** A folder with the libraries, as `pip install --target` makes it: it can be moved, which a virtual environment cannot. */
async function ensurePythonLibraries(): Promise<string> {
  const python = await ensureProgram(cacheDir, 'python3', 'python3')
  const remedy = `Install pip and ${PYTHON_PACKAGES.join(' ')} for ${python}.`
  const version = (await run(python, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])).trim()
  const name = `python-${version}-${PYTHON_PACKAGES.join('-').replaceAll('==', '-')}`
  return ensureCached(cacheDir, name, async (scratch) => {
    await run(python, ['-m', 'pip', '--version']).catch(() => installPackage(cacheDir, 'python3-pip', remedy))
    await run(python, ['-m', 'pip', 'install', '--quiet', '--target', scratch, ...PYTHON_PACKAGES], { remedy })
  })
}
