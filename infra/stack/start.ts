/** Brings one server to health: installs, starts when it does not run, and waits until it speaks its protocol. */
import { readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { findDaemon, logPath, markHealthy, startDaemon, stopDaemon } from './daemon.ts'
import type { Server } from './server.ts'
import { portVariable, type StackSettings } from './settings.ts'
import { lastLines, say } from './shell.ts'
import { StackError } from './stack-error.ts'

const pollMs = 150
const starts = 3
const longestStartMs = 30 * 60_000

/** Installs and starts a server and waits for it; harmless when it runs already. */
export async function startServer(server: Server, settings: StackSettings): Promise<void> {
  const startedMs = Date.now()
  const word = (await isRunningHere(server, settings)) ? 'already up' : await startFresh(server, settings)
  await server.afterStart?.(settings)
  await markHealthy(settings.stackDir, server.name)
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
  say(`${server.name.padEnd(9)} ${word.padEnd(10)} ${server.address(settings)}  (${seconds} s)`)
}

/** True when our process runs and answers; a process that runs on other ports or has stopped answering is ended. */
async function isRunningHere(server: Server, settings: StackSettings): Promise<boolean> {
  const record = await findDaemon(settings.stackDir, server.name)
  if (record === undefined) return false
  const isSameAddress = record.address === server.address(settings)
  if (isSameAddress && (await waitUntilHealthy(server, settings, server.startLimitMs)) === undefined) return true
  await stopDaemon(settings.stackDir, server.name)
  return false
}

async function startFresh(server: Server, settings: StackSettings): Promise<string> {
  await server.install(settings)
  const { name } = server
  let problem = ''
  // A server that was killed can leave something that refuses the first start for a second (PostgreSQL's children do).
  for (let attempt = 1; attempt <= starts; attempt += 1) {
    await refuseTakenPorts(server, settings)
    const launch = await server.prepare(settings)
    await startDaemon(settings.stackDir, name, launch, server.address(settings))
    const failure = await waitUntilHealthy(server, settings, server.startLimitMs)
    if (failure === undefined) return 'up'
    problem = failure
    const hasEnded = (await findDaemon(settings.stackDir, name)) === undefined
    await stopDaemon(settings.stackDir, name)
    if (!hasEnded) break
    await delay(1000 * attempt)
  }
  const log = logPath(settings.stackDir, name)
  const tail = lastLines(await readFile(log, 'utf8').catch(() => ''), 12)
  throw new StackError(`${name} did not become healthy: ${problem}`, `Its log: ${log}. ${resetHint(name)}`, tail)
}

/**
 * Undefined once the server is healthy, else why it is not: it ended, or it was silent for `limitMs`. One that goes on writing to
 * its log is at work: a broker with thousands of partitions takes minutes to recover, and ending it then would make it begin again.
 */
async function waitUntilHealthy(server: Server, settings: StackSettings, limitMs: number): Promise<string | undefined> {
  const log = logPath(settings.stackDir, server.name)
  const mostMs = Date.now() + longestStartMs
  let deadlineMs = Date.now() + limitMs
  let logBytes = await sizeOf(log)
  for (;;) {
    const failure = await server.probe(settings).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    const isAlive = (await findDaemon(settings.stackDir, server.name)) !== undefined
    if (!isAlive) return 'its process ended'
    if (failure === undefined) return undefined
    const bytes = await sizeOf(log)
    if (bytes !== logBytes) deadlineMs = Math.min(Date.now() + limitMs, mostMs)
    logBytes = bytes
    if (Date.now() > deadlineMs) return `${failure} (nothing new in its log for ${limitMs / 1000} s)`
    await delay(pollMs)
  }
}

function resetHint(name: string): string {
  return `If its data is the cause and may go: \`npm run stack -- reset --only ${name}\`.`
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}

/** A taken port would make our server fail, or worse, let a stranger answer in its place. */
async function refuseTakenPorts(server: Server, { host, ports }: StackSettings): Promise<void> {
  for (const name of server.ports) {
    const port = ports[name]
    if (await isListening(host, port)) {
      const remedy = `End what listens there, or choose another port: ${portVariable(name)}=${port + 1000}`
      throw new StackError(`${server.name}: port ${port} is taken by a process that this stack did not start`, remedy)
    }
  }
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
