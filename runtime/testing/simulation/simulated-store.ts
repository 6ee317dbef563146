/** A process's connection to the memory store, over the simulated network. Whatever methods the ports have, all of them are calls. */
import type { Store } from '../../ports/claim-store.ts'
import type { Life } from './life.ts'
import type { Network } from './network.ts'

/** Hears the answers of the store. */
export type StoreWitness = (agent: string, method: string, requests: unknown, answers: unknown) => void

/** See the file's head. */
export function simulatedStore(store: Store, life: Life, network: Network, witness: StoreWitness): Store {
  // One connection for everything, as with Redis: what is asked later arrives later.
  const channel = network.channel(life)
  const over = <T extends object>(target: T, part: string, hear: (method: string, requests: unknown) => Hear): T => {
    const calls = Object.entries(target).map(([method, call]: [string, unknown]) => {
      if (typeof call !== 'function') return [method, call] as const
      const wrapped = (...values: unknown[]): Promise<unknown> =>
        network.call(channel, `${part} ${method}`, async () => {
          const answers = await (call as (...values: unknown[]) => Promise<unknown>).apply(target, values)
          hear(method, values[0])(answers)
          return answers
        })
      return [method, wrapped] as const
    })
    return Object.fromEntries(calls) as T
  }
  return {
    ...store,
    claimsOf: (agent, options) =>
      over(store.claimsOf(agent, options), 'store', (method, requests) => (answers) => {
        witness(agent, method, requests, answers)
      }),
    marksOf: (agent) => over(store.marksOf(agent), 'mark', () => () => undefined),
    recoveryOf: (agent, options) => over(store.recoveryOf(agent, options), 'recovery', () => () => undefined),
    leases: over(store.leases, 'lease', () => () => undefined),
    close: () => Promise.resolve(),
  }
}

type Hear = (answers: unknown) => void
