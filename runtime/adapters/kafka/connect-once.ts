/**
 * One socket per connection. Two first requests that meet on a connection of kafkajs each open a socket, and the first socket is
 * forgotten: it stays open, nobody closes it, and it keeps the process alive. Here the second request waits for the first one's.
 */
import type { InternalCluster } from './kafkajs-internals.ts'

/** Lets each connection of this cluster object connect once at a time. Call it before the cluster connects. */
export function connectOnce(cluster: InternalCluster): void {
  const { connectionPoolBuilder } = cluster
  const build = connectionPoolBuilder.build.bind(connectionPoolBuilder)
  connectionPoolBuilder.build = async (destination) => {
    const built = await build(destination)
    for (const connection of built.pool) {
      const connect = connection.connect.bind(connection)
      let connecting: Promise<unknown> | undefined
      connection.connect = () => (connecting ??= connect().finally(() => (connecting = undefined)))
    }
    return built
  }
}
