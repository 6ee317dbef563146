/** A store that counts what is asked of it: calls, which are round trips, and the entries in them. */
import type { Store } from '../../runtime/ports/claim-store.ts'

/** Per method of the claim store. */
export type StoreUse = Readonly<Record<string, { readonly calls: number; readonly entries: number }>>

const METHODS = ['read', 'claim', 'compute', 'finish', 'hand', 'bury', 'release', 'join'] as const

/** The same store, and what has been asked of it so far. */
export function countingStore(inner: Store): { readonly store: Store; readonly use: StoreUse } {
  const use: Record<string, { calls: number; entries: number }> = {}
  const claimsOf: Store['claimsOf'] = (agent, options) => {
    const claims = inner.claimsOf(agent, options)
    const counted = Object.fromEntries(
      METHODS.map((method) => [
        method,
        (entries: never) => {
          const count = (use[method] ??= { calls: 0, entries: 0 })
          count.calls += 1
          count.entries += (entries as readonly unknown[]).length
          return claims[method](entries)
        },
      ]),
    )
    return counted as unknown as typeof claims
  }
  return { store: { ...inner, claimsOf }, use }
}
