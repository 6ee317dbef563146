/** `.laban/dev.json`: where a running `laban dev` listens, for the commands in another terminal. It is there only while that process lives. */
import { readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Content of the file. Whoever can read it may use the port, so only its owner can. */
export interface DevFile {
  /** Loopback address of the control port. */
  readonly url: string
  /** Sent with every request. */
  readonly token: string
  readonly pid: number
}

/** The address of a live `laban dev`, or undefined; what a killed one left behind does not count. */
export function readDevFile(stateDir: string): DevFile | undefined {
  let file: Partial<DevFile>
  try {
    file = JSON.parse(readFileSync(devFilePath(stateDir), 'utf8')) as Partial<DevFile>
  } catch {
    return undefined
  }
  const { url, token, pid } = file
  if (url === undefined || token === undefined || pid === undefined || !isAlive(pid)) return undefined
  return { url, token, pid }
}

/** Writes the file in one step, readable by its owner only. */
export async function writeDevFile(stateDir: string, content: DevFile): Promise<void> {
  const path = devFilePath(stateDir)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** Removes the file if it is still this process's own. */
export async function removeDevFile(stateDir: string, pid: number): Promise<void> {
  if (readDevFile(stateDir)?.pid === pid) await rm(devFilePath(stateDir), { force: true })
}

function devFilePath(stateDir: string): string {
  return join(stateDir, 'dev.json')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
