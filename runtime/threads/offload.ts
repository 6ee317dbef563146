/**
 * Runs CPU-heavy functions of an agent in threads of their own, so that they never hold up the event loop: while one event is
 * computed, the process goes on fetching, renewing leases and handling the others.
 */
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Piscina } from 'piscina'
import { LabanError } from '../../contracts/errors.ts'
import { inlineExports, noteModule } from './inline.ts'

type AnyFunction = (input: never) => unknown

/** Names of a module's exports that are functions of one value. */
export type FunctionName<M> = { [N in keyof M]: M[N] extends AnyFunction ? N : never }[keyof M] & string

/**
 * Runs a function of the module in a thread. Input and result are copied: plain data. What it throws rejects the call, as an
 * `Error` of the same name and message; aborting the signal rejects with `AbortError` and ends the thread.
 */
export type Offloaded<M> = <N extends FunctionName<M>>(
  name: N,
  input: Parameters<Extract<M[N], AnyFunction>>[0],
  options?: { readonly signal?: AbortSignal },
) => Promise<Awaited<ReturnType<Extract<M[N], AnyFunction>>>>

/** Options of {@link offload}. */
export interface OffloadOptions {
  /** Threads for this module; calls beyond them wait. @default the processors, less one for the event loop, at least 1 */
  readonly maxThreads?: number
  /** A thread that had nothing to do for so long ends. @default 10000 */
  readonly idleMs?: number
}

/** Sources run as they are; then threads see `laban` as the sources too. */
const IN_SOURCES = import.meta.url.endsWith('.ts')
const EXEC_ARGV = ['--disable-warning=ExperimentalWarning', ...(IN_SOURCES ? ['--conditions=laban-source'] : [])]

/**
 * Makes a module's functions run in threads. Threads start with the first call and end when idle; idle ones keep no process
 * alive. A `.ts` module that was compiled is found as the `.js` beside it.
 * @throws LABAN_OFFLOAD_MISSING when there is no such module
 * @example
 * const inThread = offload<typeof import('./text/summarize.ts')>(new URL('./text/summarize.ts', import.meta.url))
 * const summary = await inThread('summarize', { text }, { signal })
 */
export function offload<M>(module: URL, options: OffloadOptions = {}): Offloaded<M> {
  const filename = findModule(module)
  noteModule(filename)
  let opened: Promise<Piscina> | undefined
  const run = async (name: string, input: unknown, { signal }: { readonly signal?: AbortSignal } = {}) => {
    const inline = inlineExports(filename)?.[name]
    if (typeof inline === 'function') {
      const call = inline as (input: unknown) => unknown
      return structuredClone(await call(structuredClone(input))) as never
    }
    opened ??= openThreads(options)
    const threads = await opened
    // The module is named with the call, not with the threads: one that cannot be loaded then fails its call, not the process.
    return (await threads.run(input, { filename, name, ...(signal === undefined ? {} : { signal }) })) as never
  }
  return run
}

async function openThreads(options: OffloadOptions): Promise<Piscina> {
  const { Piscina } = await import('piscina')
  return new Piscina({
    minThreads: 0,
    maxThreads: options.maxThreads ?? Math.max(1, availableParallelism() - 1),
    idleTimeout: options.idleMs ?? 10_000,
    execArgv: EXEC_ARGV,
  })
}

/** Path of the module, or of what the compiler made of it. */
function findModule(module: URL): string {
  const path = fileURLToPath(module)
  const found = [path, path.replace(/\.(m?)ts$/, '.$1js')].find((candidate) => existsSync(candidate))
  if (found !== undefined) return found
  throw new LabanError('LABAN_OFFLOAD_MISSING', { file: path })
}
