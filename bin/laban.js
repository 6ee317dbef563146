#!/usr/bin/env node
// Starts the command line: from the sources in a checkout, from `dist` in the published package, always in this one process
// (an old Node hands over to the one that the package brings). Plain JavaScript that Node 18 can still parse.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NEEDED = [22, 18]
const CONFIG_EXIT = 78
const packageDir = join(dirname(fileURLToPath(import.meta.url)), '..')

/** True when this Node strips types by itself and has synchronous module hooks. */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

/** Runs the same command with a newer Node: same terminal, signals passed on, same end. */
function handOver(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  // A terminal sends SIGINT to the whole process group, so the child has it already; it decides how to end.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => refuse(`${node} cannot be started: ${error.message}`))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0)
  })
}

function refuse(why) {
  process.stderr.write(
    `laban needs Node ${NEEDED.join('.')} or newer; this is ${process.version} (${process.execPath}).\n${why}\n`,
  )
  process.exitCode = CONFIG_EXIT
}

/** In a checkout `laban` means the sources: the export condition `laban-source`, for agents and the command line alike. */
function resolveToSources() {
  nodeModule.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...(context.conditions ?? []), 'laban-source'] }),
  })
}

/** Node 22 warns about type stripping on every start; it is what we ask for. */
function silenceTypeStripping() {
  const warn = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).includes('Type Stripping')) warn.call(process, warning, ...rest)
  }
}

/** What was compiled once is kept in the folder for temporary files: a command starts in half the time. Where it cannot be kept, nothing is. */
function keepCompiled() {
  nodeModule.enableCompileCache?.()
}

async function start() {
  keepCompiled()
  const sources = join(packageDir, 'cli', 'main.ts')
  const inCheckout = existsSync(sources)
  if (inCheckout) {
    silenceTypeStripping()
    resolveToSources()
  }
  const entry = inCheckout ? sources : join(packageDir, 'dist', 'cli', 'main.js')
  const { main } = await import(pathToFileURL(entry).href)
  process.exitCode = await main(process.argv.slice(2))
}

const broughtAlong = join(packageDir, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
if (isNewEnough(process.versions.node)) await start()
else if (existsSync(broughtAlong) && process.execPath !== broughtAlong) handOver(broughtAlong)
else refuse('Install it from https://nodejs.org, or run `npm install` in a checkout, which brings one.')
