/** A fault: what is done to the shop from outside, and what `laban why` must say of it. */
import { codesIn } from './codes.ts'
import type { Shop } from './shop.ts'
import { steadyMs } from './shop.ts'
import { waitFor } from '../../harness/wait.ts'
import type { VerdictCode } from '../../../contracts/verdict-table.ts'

/** What was done. */
export interface Injected {
  /** What is asked about. */
  readonly id: string
  /** When its cause was true, by {@link steadyMs}. */
  readonly trueAtMs: number
}

/** See the file's head. */
export interface Fault {
  /** For people. */
  readonly name: string
  /** How it is injected, for people. */
  readonly by: string
  /** What must be named; where there are several, any of them is true. */
  readonly expects: readonly VerdictCode[]
  /** The agent that must be named with it. @default not looked at */
  readonly agent?: string
  inject(shop: Shop): Promise<Injected>
  /** Undoes it. @default nothing is to be undone */
  heal?(shop: Shop): Promise<void>
}

/** The moment of now, for what has just become true. */
export function since(id: string): Injected {
  return { id, trueAtMs: steadyMs() }
}

/** Waits until a flow is told to have this verdict, whatever it is before; for what a fault builds upon. */
export async function until(shop: Shop, id: string, ...codes: readonly VerdictCode[]): Promise<void> {
  await waitFor(async () => codesIn(await shop.look(id)).some((code) => codes.includes(code)), {
    timeoutMs: 90_000,
    what: `${codes.join(' or ')} of ${id}`,
  })
}
