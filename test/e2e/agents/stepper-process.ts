/**
 * Runs steppers in a process that kills itself at its n-th call of a port after a handler has begun:
 * `stepper-process.ts <before:n|after:n|never> <version> <agent>…`. Counted are calls about one handling, on store and broker.
 */
import { createLogger, createService, loadConfig, openKafka } from '../../../runtime/internal.ts'
import type { Agent } from '../../../runtime/agent.ts'
import type { Broker, OutgoingRecord } from '../../../runtime/ports/broker.ts'
import { stepper } from './stepper.ts'

const [point = 'never', version = '1.0.0', ...names] = process.argv.slice(2)
const [when, ordinal] = point.split(':')
let hasBegun = false
let calls = 0

const { config } = loadConfig({ environment: process.env })
const stack = await openKafka({ config, log: createLogger(config.log) })
const store = await stack.store()
const mortalStore = replaced(store, {
  claimsOf: (...args) => deadly(store.claimsOf(...args), () => true),
})
const service = await createService(
  { ...stack, broker: mortalBroker(stack.broker), store: () => Promise.resolve(mortalStore) },
  names.map((name) => watched(stepper(name, version))),
  {
    onFatal: (error) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(70)
    },
  },
)
process.once('SIGTERM', () => void service.stop().then(() => stack.close()))
await service.start()
process.stdout.write('ready\n')

function watched(agent: Agent): Agent {
  return {
    ...agent,
    handle: (event, context) => {
      hasBegun = true
      return agent.handle(event, context)
    },
  }
}

function replaced<T extends object>(port: T, methods: Partial<T>): T {
  return new Proxy(port, {
    get(target, name) {
      if (name in methods) return methods[name as keyof T]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** Every method of a port counts its calls that concern a handling, and one of them is the last. */
function deadly<T extends object>(port: T, concerns: (argument: unknown) => boolean): T {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]): unknown => {
        const isLast = hasBegun && concerns(args[0]) && ++calls === Number(ordinal)
        if (isLast && when === 'before') die()
        const answer: unknown = value.apply(target, args)
        if (!isLast || !(answer instanceof Promise)) return answer
        return answer.then((result: unknown) => (when === 'after' ? die() : result))
      }
    },
  })
}

function mortalBroker(broker: Broker): Broker {
  const isOfHandling = (records: unknown): boolean =>
    (records as readonly OutgoingRecord[]).some(({ topic }) => topic !== 'laban.agents')
  return replaced(broker, {
    producer: async () => {
      const producer = await broker.producer()
      return replaced(producer, {
        send: (records) => deadly({ send: producer.send.bind(producer) }, isOfHandling).send(records),
      })
    },
    consumer: async (...args) => deadly(await broker.consumer(...args), Array.isArray),
  })
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // Nothing goes on until the signal has come.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  throw new Error('killed')
}
