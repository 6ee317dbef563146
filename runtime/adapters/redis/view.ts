/** Looks at what one agent keeps in Redis, by plain reads: no script, no epoch, nothing written. */
import type { StoreView } from '../../ports/store-view.ts'
import type { Connection } from './connection.ts'
import { epochKeys, type AgentKeys } from './keys.ts'
import { decodeState } from './values.ts'

const RECOVERED = 'r'

/** The view of one agent. */
export function createStoreView(connection: Connection, keys: AgentKeys, isCluster: boolean): StoreView {
  return {
    handlings: async (refs) => {
      const values = await connection.run((client) =>
        Promise.all(refs.map(({ flowId, handlingId }) => client.getBuffer(keys.handling(flowId, handlingId)))),
      )
      return values.map(decodeState)
    },
    journal: async ({ flowId, handlingId }) => {
      const fields = await connection.run((client) => client.hgetallBuffer(keys.journal(flowId, handlingId)))
      return new Map(Object.entries(fields))
    },
    memory: () =>
      connection.run(async (client) => {
        const epochs = await Promise.all(epochKeys(keys, isCluster).map((key) => client.hkeys(key)))
        if (epochs.every((fields) => fields.length === 0)) return undefined
        const recoverer = await client.get(keys.recoverer)
        return { isRecovered: epochs.every((fields) => fields.includes(RECOVERED)), recoverer: recoverer ?? undefined }
      }),
  }
}
