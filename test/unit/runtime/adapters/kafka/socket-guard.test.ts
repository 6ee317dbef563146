/** A connection whose server goes away, at the moments at which kafkajs alone would wait for ever or read nonsense. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { kafkaConnection } from '../../../../../runtime/adapters/kafka/connection.ts'
import {
  requests,
  type InternalConnectionPool,
  type ProtocolCall,
} from '../../../../../runtime/adapters/kafka/kafkajs-internals.ts'
import { silentLogger } from '../../../../../runtime/ports/logger.ts'

/** Where the correlation id lies in a request: behind length, API and version. */
const CORRELATION_AT = 8

let server: Server
let pool: InternalConnectionPool
/** What the server does with a request on the socket of this number, from 0. */
let answer: (request: Buffer, socket: Socket, index: number) => void

beforeEach(async () => {
  let sockets = 0
  server = createServer((socket) => {
    const index = sockets++
    socket.on('data', (request) => answer(request, socket, index)).on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const connection = kafkaConnection({ brokers: [`127.0.0.1:${port}`], clientId: 'test', logger: silentLogger })
  pool = await connection.newCluster().connectionPoolBuilder.build({ host: '127.0.0.1', port })
})

afterEach(async () => {
  await Promise.all(pool.pool.map((connection) => connection.disconnect()))
  await new Promise((resolve) => server.close(resolve))
})

/** A request that needs no login and no other before it. */
function call(): ProtocolCall {
  const build = requests['ApiVersions']?.protocol({ version: 0 })
  if (build === undefined) throw new TypeError('kafkajs knows no ApiVersions')
  return build({})
}

/** No versions at all, to the request that these bytes are. */
function whole(request: Buffer): Buffer {
  const bytes = Buffer.alloc(14)
  bytes.writeInt32BE(10, 0)
  request.copy(bytes, 4, CORRELATION_AT, CORRELATION_AT + 4)
  return bytes
}

it('lets go of what is under way when its socket closes without an end', async () => {
  const asked = Promise.withResolvers<undefined>()
  answer = () => asked.resolve(undefined)
  const answered = pool.send(call())
  await asked.promise
  pool.pool[0]?.socket?.destroy()
  await expect(answered).rejects.toMatchObject({ name: 'KafkaJSConnectionClosedError' })
  answer = (request, socket) => socket.write(whole(request))
  await expect(pool.send(call())).resolves.toMatchObject({ apiVersions: [] })
})

it('does not read on in the half of an answer that an earlier socket has left', async () => {
  answer = (request, socket, index) => {
    if (index === 0) socket.end(whole(request).subarray(0, 9))
    else socket.write(whole(request))
  }
  await expect(pool.send(call())).rejects.toMatchObject({ name: 'KafkaJSConnectionClosedError' })
  await expect(pool.send(call())).resolves.toMatchObject({ apiVersions: [] })
})

it('says why it cannot connect', async () => {
  await new Promise((resolve) => server.close(resolve))
  await expect(pool.send(call())).rejects.toMatchObject({ name: 'KafkaJSConnectionError', code: 'ECONNREFUSED' })
})
