/** Under a simulation what was made to run in threads runs in the caller: a thread's time is not the simulation's. */
import { pathToFileURL } from 'node:url'

type Exports = Readonly<Record<string, unknown>>

/** Modules whose functions run in threads, and what they export once they are loaded. */
const modules = new Map<string, Exports | undefined>()
let holders = 0

/** Remembers a module that may have to run inline. */
export function noteModule(filename: string): void {
  if (!modules.has(filename)) modules.set(filename, undefined)
}

/** From now on, and until the returned function is called, offloaded functions run inline. Loads their modules: later calls wait for nothing. */
export async function runInline(): Promise<() => void> {
  for (const [filename, known] of modules) {
    if (known === undefined) modules.set(filename, (await import(pathToFileURL(filename).href)) as Exports)
  }
  holders++
  return () => holders--
}

/** The exports of a module that is to run inline; undefined when it runs in a thread. */
export function inlineExports(filename: string): Exports | undefined {
  return holders > 0 ? modules.get(filename) : undefined
}
