/** A broker that takes nothing for some topics, as one does whose topics were removed or whose rights were taken away. */
import { LabanError } from '../../contracts/errors.ts'
import type { Broker, BrokerProducer } from '../../runtime/ports/broker.ts'

/** The same broker; what is in `topics` at the time of a send is refused, and nothing of that send is appended. */
export function refusingBroker<B extends Broker>(broker: B, topics: ReadonlySet<string>): B {
  const refuse = (producer: BrokerProducer): BrokerProducer =>
    replaced(producer, {
      send: (records) => {
        const refused = records.find(({ topic }) => topics.has(topic))
        if (refused === undefined) return producer.send(records)
        const details = { operation: 'produce', topic: refused.topic, problem: 'there is no such topic' }
        return Promise.reject(new LabanError('LABAN_BROKER_REFUSED', details))
      },
    })
  return replaced(broker, {
    producer: async () => refuse(await broker.producer()),
    ...('connection' in broker
      ? { connection: () => refusingBroker((broker as unknown as { connection(): Broker }).connection(), topics) }
      : {}),
  } as Partial<B>)
}

function replaced<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(name in own ? own : object, name)
      return typeof value === 'function' ? (value as () => unknown).bind(object) : value
    },
  })
}
