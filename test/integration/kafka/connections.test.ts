/** Sockets of a Kafka client: as many as it needs, and none left when it is closed. */
import { connect, type Socket } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import { createKafkaBroker } from '../../../runtime/adapters/kafka/broker.ts'
import { systemClock } from '../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'
import { brokers, closeAll, namespace, newClient, newTopic, readTexts, textsFor } from './harness.ts'

afterAll(closeAll)

it('opens no socket that waits before it sends, and closes every one, also when several first reads begin at once', async () => {
  const client = await newClient()
  const topic = await newTopic(client, 4)
  const producer = await client.broker.producer()
  await producer.send([0, 1, 2, 3].flatMap((partition) => textsFor(topic, partition, 'a', 'b')))
  await producer.close()

  const sockets: Socket[] = []
  const undelayed = new Set<Socket>()
  const broker = createKafkaBroker({
    brokers,
    clientId: uniqueName('test'),
    namespace,
    clock: systemClock,
    logger: silentLogger,
    socketFactory: ({ host, port, onConnect }) => {
      const socket = connect({ host, port }, onConnect)
      sockets.push(socket)
      const setNoDelay = socket.setNoDelay.bind(socket)
      socket.setNoDelay = (on) => {
        if (on === true) undelayed.add(socket)
        return setNoDelay(on)
      }
      return socket
    },
  })
  await broker.connect()
  const texts = await Promise.all([0, 1, 2, 3].map((partition) => readTexts(broker, topic, partition)))
  expect(undelayed.size).toBe(sockets.length)
  expect(texts).toEqual(Array.from({ length: 4 }, () => ['a', 'b']))
  await broker.close()
  await waitFor(() => sockets.every((socket) => socket.destroyed), { what: 'every socket to be closed' })
  // One for requests and one for fetches.
  expect(sockets).toHaveLength(2)
})
