/** `npm run bench -- <name> [options]`: runs one measurement. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const FILES: Readonly<Record<string, string>> = {
  chain: 'chain/main.ts',
  ledger: 'ledger/main.ts',
  'ledger-chain': 'ledger/after-chain.ts',
  waiting: 'waiting.ts',
  scale: 'scale.ts',
  steps: 'steps.ts',
  long: 'long/main.ts',
  deaths: 'deaths.ts',
  store: 'store.ts',
  tracing: 'tracing.ts',
  console: 'console.ts',
  flow: 'flow.ts',
}
const [name = '', ...options] = process.argv.slice(2)
const file = FILES[name]
if (file === undefined) {
  console.error(`Say which: npm run bench -- ${Object.keys(FILES).join(' | ')}`)
  process.exitCode = 64
} else {
  const args = ['--conditions=laban-source', join(import.meta.dirname, file), ...options]
  spawn(process.execPath, args, { stdio: 'inherit' }).on('exit', (code) => (process.exitCode = code ?? 1))
}
