/** A Kafka client of its own for a test: in its own namespace, and with sockets that the test can cut. */
import { connect, type Socket } from 'node:net'
import { createKafkaBroker } from '../../runtime/adapters/kafka/broker.ts'
import type { RecordsCodec } from '../../runtime/adapters/kafka/fetch-answers.ts'
import type { Broker } from '../../runtime/ports/broker.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger, type Logger } from '../../runtime/ports/logger.ts'
import { uniqueName } from './unique-name.ts'

/** A client and its wires. */
export interface CuttableClient {
  readonly broker: Broker
  /** Unique, as the broker shows it. */
  readonly clientId: string
  /** Cuts all connections; until `mend` every new one fails too. */
  cut(): void
  mend(): void
}

/** A port on which nothing listens. */
const DEAD_PORT = 9

export function cuttableClient(
  brokers: readonly string[],
  namespace: string,
  wire: {
    readonly logger?: Logger
    /** Port to connect to instead of the broker's. */
    readonly port?: number
    /** @default 'fast' */
    readonly records?: RecordsCodec
  } = {},
): CuttableClient {
  const clientId = uniqueName('test')
  const sockets = new Set<Socket>()
  let isCut = false
  const broker = createKafkaBroker({
    brokers,
    clientId,
    namespace,
    clock: systemClock,
    logger: wire.logger ?? silentLogger,
    ...(wire.records === undefined ? {} : { records: wire.records }),
    socketFactory: ({ host, port, onConnect }) => {
      const socket = connect({ host, port: isCut ? DEAD_PORT : (wire.port ?? port) }, onConnect)
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      return socket
    },
  })
  return {
    broker,
    clientId,
    cut: () => {
      isCut = true
      for (const socket of sockets) socket.destroy(new Error('The test cut this connection'))
    },
    mend: () => {
      isCut = false
    },
  }
}
