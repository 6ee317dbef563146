/** Where a time lies in a partition, asked while records are appended: no record of after the question may lie before the answer. */
import { expect, it } from 'vitest'
import { createKafkaBroker } from '../../../runtime/adapters/kafka/broker.ts'
import { systemClock } from '../../../runtime/ports/clock.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { uniqueName } from '../../harness/unique-name.ts'

const PARTITIONS = 60

it('never passes over a record that is appended meanwhile', async () => {
  const brokers = await stackAddress('brokers')
  const options = {
    brokers,
    clientId: 'test',
    namespace: uniqueName('offsets-at'),
    clock: systemClock,
    logger: silentLogger,
  }
  const broker = createKafkaBroker(options)
  await broker.connect()
  await broker.admin.createTopics([{ topic: 'a.b', partitions: PARTITIONS, replication: 1, config: {} }])
  const producer = await broker.producer()
  const beforeMs = Date.now() - 60_000
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const record = { topic: 'a.b', partition, key: null, value: Buffer.from('x'), headers: {} }
    const [places] = await Promise.all([broker.admin.offsetsAt('a.b', beforeMs), producer.send([record])])
    expect(places.find((place) => place.partition === partition)).toEqual({ partition, offset: 0 })
  }
  await producer.close()
  await broker.close()
})
