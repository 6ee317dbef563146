/** A lock file, so that two launchers never install or start the same thing at once; a dead holder's lock is taken over. */
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseJson, readIdentity, type ProcessIdentity } from './process-identity.ts'
import { say } from './shell.ts'
import { StackError } from './stack-error.ts'

const pollMs = 200
const waitLimitMs = 20 * 60_000

/** Runs an action while holding the lock file; waits for another holder, at most 20 minutes. */
export async function withLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  await acquire(path)
  try {
    return await action()
  } finally {
    await rm(path, { force: true })
  }
}

async function acquire(path: string): Promise<void> {
  const own = JSON.stringify(await readIdentity(process.pid))
  const startedMs = Date.now()
  let announced = false
  while (!(await tryCreate(path, own))) {
    const dead = await readDeadHolder(path)
    if (dead !== undefined) {
      await takeAway(path, dead)
      continue
    }
    if (!announced && Date.now() - startedMs > 1000) {
      say(`waiting for another launcher (${path})`)
      announced = true
    }
    if (Date.now() - startedMs > waitLimitMs) {
      throw new StackError(`${path} is still held after 20 minutes`, 'End the other launcher or remove the file.')
    }
    await delay(pollMs)
  }
}

async function tryCreate(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** The lock's text when its holder is gone; an unreadable one died between creating and writing. */
async function readDeadHolder(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const holder = parseJson<ProcessIdentity>(text)
  if (holder === undefined) {
    const ageMs = await stat(path).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    )
    return ageMs > 10_000 ? text : undefined
  }
  const current = await readIdentity(holder.pid)
  return current?.started === holder.started ? undefined : text
}

/** Takes away only the dead holder's file: whoever was quicker may have put a new one there, which goes back. */
async function takeAway(path: string, dead: string): Promise<void> {
  const grave = `${path}.${process.pid}`
  await rename(path, grave).catch(() => undefined)
  const taken = await readFile(grave, 'utf8').catch(() => dead)
  if (taken !== dead) await link(grave, path).catch(() => undefined)
  await rm(grave, { force: true })
}
