/** A store that counts what is asked of it: calls, which are round trips, and the entries in them. */
import type { ClaimStore, Store } from '../../runtime/ports/claim-store.ts'

/** Per method of the claim store. */
export type StoreUse = Readonly<Record<string, { readonly calls: number; readonly entries: number }>>

type Counts = Record<string, { calls: number; entries: number }>
type Method = (...args: readonly unknown[]) => unknown

/** The same store, and what has been asked of it so far. */
export function countingStore(inner: Store): { readonly store: Store; readonly use: StoreUse } {
  const use: Counts = {}
  const claimsOf: Store['claimsOf'] = (agent, options) => counted(inner.claimsOf(agent, options), use)
  return { store: { ...inner, claimsOf }, use }
}

/** Whatever methods the port has; each takes a batch first. */
function counted(claims: ClaimStore, use: Counts): ClaimStore {
  const methods = new Map<string | symbol, Method>()
  return new Proxy(claims, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const known = methods.get(name)
      if (known !== undefined) return known
      const method: Method = (...args) => {
        const count = (use[String(name)] ??= { calls: 0, entries: 0 })
        count.calls += 1
        count.entries += Array.isArray(args[0]) ? args[0].length : 1
        return Reflect.apply(value as Method, target, args)
      }
      methods.set(name, method)
      return method
    },
  })
}
