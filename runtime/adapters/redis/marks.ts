/** Marks in Redis: one key each, which ends by itself. */
import type { MarkStore } from '../../ports/mark-store.ts'
import type { Connection } from './connection.ts'
import { markKey } from './keys.ts'
import { runScript } from './scripts.ts'

const MARK_TTL_MS = 30 * 86_400_000

/** The marks of one agent in one namespace. */
export function createMarkStore(connection: Connection, namespace: string, agent: string): MarkStore {
  return {
    get: async (name) => (await connection.run((client) => client.get(markKey(namespace, agent, name)))) ?? undefined,
    set: async (name, value) => {
      await connection.run((client) => client.set(markKey(namespace, agent, name), value, 'PX', MARK_TTL_MS))
    },
    clear: async (name, value) => {
      await connection.run((client) => runScript(client, 'mark-clear', [markKey(namespace, agent, name)], [value]))
    },
  }
}
