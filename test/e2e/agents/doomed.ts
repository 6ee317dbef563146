/** `laban run` with one agent whose process kills itself at a given call of a port, once so many handlers have begun: `doomed.ts <agent file> <point>|never <begun>`. */
import { resolve } from 'node:path'
import { createLogger, createService, loadConfig, openKafka } from '../../../runtime/internal.ts'
import type { Agent } from '../../../runtime/agent.ts'
import type { Broker, OutgoingRecord } from '../../../runtime/ports/broker.ts'
import { isDeathPoint, type DeathPoint } from './death-points.ts'

const [file = '', point = '', leastBegun = '1'] = process.argv.slice(2)
let begun = 0
if (point !== 'never' && !isDeathPoint(point)) throw new Error(`no such point: ${point}`)
const [when, call] = point.split(' ') as [When, Call]
const { config } = loadConfig({ environment: process.env })
const log = createLogger(config.log)
const stack = await openKafka({ config, log })
const { default: mortalAgent } = (await import(resolve(file))) as { default: Agent }
const agent: Agent = {
  ...mortalAgent,
  handle: (event, context) => {
    begun++
    return mortalAgent.handle(event, context)
  },
}
const store = await stack.store()
const mortalStore = mortal(store, {
  // All claims of all agents: there is one agent.
  claimsOf: (...args) => {
    const claims = store.claimsOf(...args)
    return mortal(claims, {
      claim: deadly('claim', claims.claim.bind(claims)),
      compute: deadly('compute', claims.compute.bind(claims)),
      finish: deadly('finish', claims.finish.bind(claims)),
    })
  },
})
const service = await createService(
  { ...stack, broker: mortalBroker(stack.broker), store: () => Promise.resolve(mortalStore) },
  [agent],
  {
    onFatal: (error) => {
      throw error
    },
  },
)
await service.start()
process.stdout.write('ready\n')

type When = 'before' | 'during' | 'after'
type Call = DeathPoint extends `${string} ${infer C}` ? C : never

/** The same object with some methods replaced. */
function mortal<T extends object>(port: T, replaced: Partial<T>): T {
  return new Proxy(port, {
    get(target, name) {
      if (name in replaced) return replaced[name as keyof T]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** Dies at the first call that matters once enough handlers have begun. */
function deadly<A extends readonly unknown[], R>(
  name: string,
  original: (...args: A) => Promise<R>,
  concerns: (...args: A) => boolean = () => true,
): (...args: A) => Promise<R> {
  return async (...args) => {
    if (name !== call || begun < Number(leastBegun) || !concerns(...args)) return original(...args)
    if (when === 'before') die()
    const answer = original(...args)
    // The request is on its way; nobody will hear the answer.
    if (when === 'during') setImmediate(die)
    const result = await answer
    if (when === 'after') die()
    return result
  }
}

function mortalBroker(broker: Broker): Broker {
  return mortal(broker, {
    producer: async () => {
      const producer = await broker.producer()
      const send = producer.send.bind(producer)
      const has =
        (topic: string) =>
        (records: readonly OutgoingRecord[]): boolean =>
          records.some((record) => record.topic === topic)
      const sending = deadly('send', send, has('trial.ended'))
      return mortal(producer, {
        send: (records) =>
          has('laban.facts')(records) && call === 'fact' ? deadly('fact', send)(records) : sending(records),
      })
    },
    consumer: async (...args) => {
      const consumer = await broker.consumer(...args)
      return mortal(consumer, { commit: deadly('commit', consumer.commit.bind(consumer)) })
    },
  })
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal comes before the next instruction that matters; nothing goes on until then.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  throw new Error('killed')
}
