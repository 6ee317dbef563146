/**
 * What a connection waits for ends with its socket. kafkajs lets go of requests when a socket ends or fails while it takes the
 * connection for connected; one that closes otherwise, or while somebody takes the connection down, leaves them waiting, without a
 * time-out once the connection counts as closed. And a connection that is opened again goes on with the half of an answer that the last
 * socket left behind: it takes what comes for the rest of it, and no answer is understood any more.
 */
import { ConnectionClosedError, type InternalCluster, type InternalSocketConnection } from './kafkajs-internals.ts'

/** An answer begins with its length. */
const LENGTH_BYTES = 4

/** Guards every connection of this cluster object. Call it before the cluster connects. */
export function endWithSocket(cluster: InternalCluster): void {
  const { connectionPoolBuilder } = cluster
  const build = connectionPoolBuilder.build.bind(connectionPoolBuilder)
  connectionPoolBuilder.build = async (destination) => {
    const built = await build(destination)
    for (const connection of built.pool) guard(connection)
    return built
  }
}

function guard(connection: InternalSocketConnection): void {
  const connect = connection.connect.bind(connection)
  connection.connect = () => {
    const before = connection.socket
    const connecting = connect()
    const { socket } = connection
    if (socket === undefined || socket === before) return connecting
    connection.chunks = []
    connection.bytesBuffered = 0
    connection.bytesNeeded = LENGTH_BYTES
    const closed = new Promise<never>((_resolve, reject) => {
      socket.once('close', () => {
        const { host, port } = connection
        const error = new ConnectionClosedError('Closed connection', { host, port })
        if (connection.socket === socket) {
          connection.rejectRequests(error)
          // A socket that was destroyed has no end that kafkajs would hear of.
          void connection.disconnect()
        }
        // An error of the socket says more: kafkajs tells it after this event.
        setImmediate(() => reject(error))
      })
    })
    closed.catch(() => undefined)
    return Promise.race([connecting, closed])
  }
}
