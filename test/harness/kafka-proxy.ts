/** A wire between a Kafka client and a broker on which answers get lost: the broker has done the work, and nobody hears of it. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A proxy in front of one broker. Clients reach it by a socket factory, because brokers tell clients their own address. */
export interface KafkaProxy {
  readonly port: number
  /** Counts the requests of an API that have passed. */
  requests(apiKey: number): number
  /** API keys in the order in which requests passed, connection by connection mixed as they came. */
  readonly log: readonly number[]
  /** Cuts the connection instead of passing the answer to each of the next `count` requests of this API. */
  loseAnswers(apiKey: number, count: number): void
  close(): Promise<void>
}

/** API keys of the protocol. */
export const API = { produce: 0, fetch: 1, offsetCommit: 8, joinGroup: 11, heartbeat: 12 } as const

/** Starts a proxy in front of `host:port`. */
export async function startKafkaProxy(target: string): Promise<KafkaProxy> {
  const [host, port] = target.split(':')
  const log: number[] = []
  const losses = new Map<number, number>()
  const server: Server = createServer((client) => {
    const broker = connect({ host: host ?? '127.0.0.1', port: Number(port) })
    let isLosing = false
    client.on('data', (chunk) => {
      for (const apiKey of apiKeysIn(chunk)) {
        log.push(apiKey)
        const left = losses.get(apiKey) ?? 0
        if (left > 0) isLosing = true
        losses.set(apiKey, Math.max(0, left - 1))
      }
      broker.write(chunk)
    })
    broker.on('data', (chunk) => {
      if (isLosing) return tearDown(client, broker)
      client.write(chunk)
    })
    for (const socket of [client, broker]) {
      socket.on('error', () => tearDown(client, broker))
      socket.on('close', () => tearDown(client, broker))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    log,
    requests: (apiKey) => log.filter((key) => key === apiKey).length,
    loseAnswers: (apiKey, count) => losses.set(apiKey, count),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function tearDown(client: Socket, broker: Socket): void {
  client.destroy()
  broker.destroy()
}

/** Requests in a chunk: tests send requests that fit into one. */
function apiKeysIn(chunk: Buffer): readonly number[] {
  const keys: number[] = []
  for (let at = 0; at + 6 <= chunk.length; at += 4 + chunk.readInt32BE(at)) keys.push(chunk.readInt16BE(at + 4))
  return keys
}
