// Puts `laban` into node_modules/.bin of a checkout, because npm links the bins of dependencies but not the project's own.
// Runs as the `prepare` script; it does nothing in a published package and never fails an installation.
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const projectDir = join(dirname(fileURLToPath(import.meta.url)), '..')
const binDir = join(projectDir, 'node_modules', '.bin')

try {
  if (existsSync(join(projectDir, 'node_modules'))) link()
} catch (error) {
  process.stderr.write(`laban is not linked into node_modules/.bin (${error.message}); use ./bin/laban.js instead.\n`)
}

function link() {
  const target = join(projectDir, 'bin', 'laban.js')
  mkdirSync(binDir, { recursive: true })
  chmodSync(target, 0o755)
  if (process.platform === 'win32') {
    writeFileSync(join(binDir, 'laban.cmd'), '@node "%~dp0\\..\\..\\bin\\laban.js" %*\r\n')
    return
  }
  rmSync(join(binDir, 'laban'), { force: true })
  symlinkSync(join('..', '..', 'bin', 'laban.js'), join(binDir, 'laban'))
}
