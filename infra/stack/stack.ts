/** The launcher's verbs over all servers: up, down, status, logs. One launcher at a time works on a server. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findDaemon, logPath, stopDaemon } from './daemon.ts'
import { withLock } from './lock.ts'
import type { Server } from './server.ts'
import { selectServers } from './servers/all.ts'
import type { ServerName, StackSettings } from './settings.ts'
import { lastLines, say } from './shell.ts'
import { explain, StackError } from './stack-error.ts'
import { stackFilePath, writeStackFile } from './stack-file.ts'
import { startServer } from './start.ts'

/**
 * Starts servers side by side and waits until each is healthy; the address of each is on file as soon as it is.
 * @throws StackError naming those that failed; the others stay up.
 */
export async function up(settings: StackSettings, servers: readonly Server[]): Promise<void> {
  const results = await Promise.allSettled(
    servers.map((server) => withServerLock(settings, server, () => startServer(server, settings))),
  )
  const failures = servers.flatMap(({ name }, index) => {
    const result = results[index]
    return result?.status === 'rejected' ? [{ name, text: explain(result.reason) }] : []
  })
  if (failures.length === 0) return say(`addresses: ${stackFilePath(settings.stackDir)}`)
  const names = failures.map(({ name }) => name).join(', ')
  const detail = failures.map(({ name, text }) => `--- ${name}\n${text}`).join('\n')
  throw new StackError(
    `not up: ${names}`,
    'Fix the cause and run `npm run stack -- up` again; what runs stays up.',
    detail,
  )
}

/** Ends servers of this stack, and nothing else; `wipe` also removes their data. */
export async function down(settings: StackSettings, servers: readonly Server[], wipe: boolean): Promise<void> {
  await Promise.all(servers.map((server) => withServerLock(settings, server, () => stopServer(server, settings, wipe))))
}

async function stopServer(server: Server, settings: StackSettings, wipe: boolean): Promise<void> {
  const { name } = server
  const wasRunning = await stopDaemon(settings.stackDir, name)
  if (wipe) {
    await rm(join(settings.stackDir, name), { recursive: true, force: true })
    await server.wipe?.(settings)
  }
  say(`${name.padEnd(9)} ${wasRunning ? 'ended' : 'was not running'}${wipe ? ', data removed' : ''}`)
}

/** Prints each server's state; gives true when all are up and answer. */
export async function status(settings: StackSettings, servers: readonly Server[]): Promise<boolean> {
  const states = await Promise.all(servers.map((server) => stateOf(server, settings)))
  servers.forEach(({ name }, index) => say(`${name.padEnd(9)} ${states[index]}`))
  return states.every((state) => state?.startsWith('up'))
}

/** Prints the path and the end of each log. */
export async function logs(settings: StackSettings, servers: readonly Server[], lines: number): Promise<void> {
  for (const { name } of servers) {
    const path = logPath(settings.stackDir, name)
    const text = await readFile(path, 'utf8').catch(() => '(no log yet)')
    say(`==> ${path}\n${lastLines(text, lines)}\n`)
  }
}

async function stateOf(server: Server, settings: StackSettings): Promise<string> {
  const record = await findDaemon(settings.stackDir, server.name)
  if (record === undefined) return 'down'
  const failure = await server.probe(settings).then(
    () => undefined,
    (error: unknown) => explain(error),
  )
  const place = `${record.address}  (process ${record.pid})`
  return failure === undefined ? `up    ${place}` : `runs but does not answer: ${place} ${failure.split('\n')[0]}`
}

/** One launcher at a time works on a server; afterwards the stack's addresses are what runs. */
async function withServerLock(settings: StackSettings, server: Server, action: () => Promise<void>): Promise<void> {
  const runDir = join(settings.stackDir, 'run')
  await withLock(join(runDir, `${server.name}.lock`), async () => {
    try {
      await action()
    } finally {
      await withLock(join(runDir, 'addresses.lock'), () => recordAddresses(settings))
    }
  })
}

async function recordAddresses(settings: StackSettings): Promise<void> {
  const addresses = new Map<ServerName, string>()
  for (const { name } of selectServers(undefined)) {
    const record = await findDaemon(settings.stackDir, name)
    if (record?.isHealthy === true) addresses.set(name, record.address)
  }
  await writeStackFile(settings, addresses)
}
