/** Functions for the tests of offload: heavy, failing, and one that knows its thread. */
import { isMainThread } from 'node:worker_threads'

/** Keeps its thread busy with a sum that nothing can shortcut. */
export function sumOfSines({ terms }: { readonly terms: number }): number {
  let sum = 0
  for (let index = 0; index < terms; index++) sum += Math.sin(index)
  return sum
}

export function fail({ reason }: { readonly reason: string }): never {
  throw new RangeError(reason)
}

export function isInMainThread(_input: null): boolean {
  return isMainThread
}

export function spin(_input: null): never {
  for (;;);
}
