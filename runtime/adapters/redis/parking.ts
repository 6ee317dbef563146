/** Parking in Redis: everything of one partition shares a hash tag, so that one script reaches it in a cluster too. */
import type { TopicPartition } from '../../ports/broker.ts'
import type { ParkedEntry, ParkingAnswer, ParkingCall, ParkingStore } from '../../ports/parking-store.ts'
import type { Connection } from './connection.ts'
import { runScript, type Reply } from './scripts.ts'

/** A script takes some thousand keys at most, and Redis does nothing else while it runs. */
const MAX_FILL = 1_000

/** The parking of one agent in one namespace. */
export function createParkingStore(connection: Connection, namespace: string, agent: string): ParkingStore {
  const tagOf = ({ topic, partition }: TopicPartition): string =>
    `{${namespace === '' ? '' : `${namespace}:`}${agent}:p:${topic}/${partition}}:`
  const laneKeys = (at: TopicPartition, key: Buffer): Buffer[] =>
    ['o:', 's:'].map((kind) => Buffer.concat([Buffer.from(tagOf(at) + kind), key]))
  const indexKeys = (at: TopicPartition): string[] => [`${tagOf(at)}index`, `${tagOf(at)}keys`]
  return {
    keys: (at) =>
      connection.run(async (client) => {
        const [index = '', keys = ''] = indexKeys(at)
        const waiting = await client.smembersBuffer(keys)
        return (await client.exists(index)) === 1 ? waiting : undefined
      }),
    fill: async (at, entries) => {
      // Only the last piece makes the index one that is there: until then nobody goes by it.
      for (let from = 0; from === 0 || from < entries.length; from += MAX_FILL) {
        const piece = entries.slice(from, from + MAX_FILL)
        const keys = piece.flatMap(({ key }) => laneKeys(at, key))
        const args = piece.flatMap(({ key, offset, parkedOffset }: ParkedEntry) => [key, offset, parkedOffset ?? ''])
        const isLast = from + MAX_FILL >= entries.length ? 1 : 0
        await connection.run((client) => runScript(client, 'park-fill', [...indexKeys(at), ...keys], [isLast, ...args]))
      }
    },
    ask: async (call) => {
      const { op, key, offset } = call
      const args = op === 'store' ? [op, key, offset, call.parkedOffset] : [op, key, offset]
      const keys = [...indexKeys(call), ...laneKeys(call, key)]
      return answerOf(call, await connection.run((client) => runScript(client, 'park', keys, args)))
    },
  }
}

function answerOf({ op }: ParkingCall, reply: Reply): ParkingAnswer {
  if (reply === 0) return { result: 'lost' }
  if (op === 'admit') return { result: String(reply) as 'free' | 'turn' | 'park' }
  const [offset, parkedOffset] = reply as readonly Buffer[]
  if (offset === undefined || parkedOffset === undefined) return { result: 'done' }
  return { result: 'done', next: { offset: Number(offset), parkedOffset: Number(parkedOffset) } }
}
