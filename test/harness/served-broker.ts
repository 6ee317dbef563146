/** A broker that is served over HTTP on a free loopback port, and clients of it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteBroker } from '../../runtime/adapters/remote/client.ts'
import { serveBroker } from '../../runtime/adapters/remote/server.ts'
import type { Broker } from '../../runtime/ports/broker.ts'

/** A running server. */
export interface ServedBroker {
  readonly url: string
  readonly token: string
  client(): Broker
  close(): Promise<void>
}

export async function serveForTest(broker: Broker, token = 'secret'): Promise<ServedBroker> {
  const handler = serveBroker(broker, { token })
  const server = createServer((request, response) => void handler(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    token,
    client: () => createRemoteBroker({ url, token }),
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
