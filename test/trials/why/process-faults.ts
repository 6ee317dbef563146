/** Faults of processes: stopped, killed, frozen, pushed aside; and what their handlers meet. */
import { rootOf } from '../../../tracing/index.ts'
import { joinGroup, type GroupMember } from '../../harness/group-member.ts'
import { waitFor } from '../../harness/wait.ts'
import { since, until, type Fault } from './fault.ts'
import { steadyMs, type Shop } from './shop.ts'

/** Orders that complete, so that what is usual is known. */
const WARM_UP = 30
const SLOW_AFTER_MS = 5_000

let intruder: GroupMember | undefined

export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'agent stopped by its operator',
    by: 'SIGTERM',
    expects: ['no-live-consumer'],
    agent: 'shop.checker',
    async inject(shop) {
      await shop.end('checker', 'SIGTERM')
      return since(await shop.place())
    },
    heal: (shop) => shop.start(['checker']),
  },
  {
    name: 'agent killed',
    by: 'SIGKILL',
    expects: ['no-live-consumer'],
    agent: 'shop.pricer',
    async inject(shop) {
      await shop.end('pricer')
      return since(await shop.place())
    },
    heal: (shop) => shop.start(['pricer']),
  },
  {
    name: 'agent frozen',
    by: 'SIGSTOP',
    expects: ['no-live-consumer'],
    agent: 'shop.checker',
    async inject(shop) {
      shop.signal('checker', 'SIGSTOP')
      return since(await shop.place())
    },
    heal: (shop) => Promise.resolve(shop.signal('checker', 'SIGCONT')),
  },
  {
    name: 'half a join: one branch killed, the other done',
    by: 'SIGKILL',
    expects: ['no-live-consumer'],
    agent: 'shop.pricer',
    async inject(shop) {
      await shop.end('pricer')
      const killedAtMs = steadyMs()
      const id = await shop.place()
      await until(shop, id, 'waiting-for-join')
      return { id, trueAtMs: Math.max(killedAtMs, steadyMs()) }
    },
    heal: (shop) => shop.start(['pricer']),
  },
  {
    name: 'owner of a running handler killed, another instance alive',
    by: 'SIGKILL',
    expects: ['lease-expired'],
    agent: 'shop.courier',
    async inject(shop) {
      shop.service.set('bring', 'silent')
      const id = await shop.place()
      await waitFor(() => shop.service.held('bring') > 0, { timeoutMs: 30_000, what: 'the courier to be at work' })
      await until(shop, id, 'running', 'slow', 'late')
      const [owner] = shop.processes('courier')
      await shop.start(['courier'])
      if (owner === undefined) throw new Error('no courier is there')
      process.kill(owner.pid, 'SIGKILL')
      return since(id)
    },
    async heal(shop) {
      shop.service.set('bring', 'fine')
      await shop.end('courier')
      await shop.start(['courier'])
    },
  },
  {
    name: 'dependency hangs: a handler far slower than usual',
    by: 'service holds its answers',
    expects: ['slow'],
    agent: 'shop.pricer',
    async inject(shop) {
      await Promise.all(Array.from({ length: WARM_UP }, () => shop.place()))
      await until(shop, await shop.place(), 'completed')
      shop.service.set('price', 'silent')
      const id = await shop.place()
      return { id, trueAtMs: steadyMs() + SLOW_AFTER_MS }
    },
    heal: (shop) => Promise.resolve(shop.service.set('price', 'fine')),
  },
  {
    name: 'same customer: an earlier order still being handled',
    by: 'service holds its answers',
    expects: ['behind-key'],
    agent: 'shop.pricer',
    async inject(shop) {
      shop.service.set('price', 'silent')
      await shop.place('', 'dora')
      await waitFor(() => shop.service.held('price') > 0, { timeoutMs: 30_000, what: 'the pricer to be at work' })
      return since(await shop.place('', 'dora'))
    },
    heal: (shop) => Promise.resolve(shop.service.set('price', 'fine')),
  },
  {
    name: 'no reaction within the time that the contract expects',
    by: 'service holds its answers',
    expects: ['late'],
    agent: 'shop.courier',
    async inject(shop) {
      shop.service.set('bring', 'silent')
      const id = await shop.place()
      await waitFor(() => shop.service.held('bring') > 0, { timeoutMs: 30_000, what: 'the courier to be at work' })
      return { id, trueAtMs: steadyMs() + 6_000 }
    },
    heal: (shop) => Promise.resolve(shop.service.set('bring', 'fine')),
  },
  {
    name: 'dependency fails: the next attempt comes later',
    by: 'service answers 500',
    expects: ['retrying'],
    agent: 'shop.pricer',
    async inject(shop) {
      shop.service.set('price', 'broken')
      return since(await shop.place('', 'emil'))
    },
    heal: (shop) => Promise.resolve(shop.service.set('price', 'fine')),
  },
  {
    name: 'same customer: an earlier order waits in a retry topic',
    by: 'service answers 500',
    expects: ['parked-behind'],
    agent: 'shop.pricer',
    async inject(shop) {
      shop.service.set('price', 'broken')
      const first = await shop.place('', 'frida')
      await until(shop, first, 'retrying')
      await waitFor(async () => rootOf((await shop.look(first)).verdict).sentence.includes('retry.15s'), {
        timeoutMs: 30_000,
        what: 'the retry topic',
      })
      return since(await shop.place('', 'frida'))
    },
    async heal(shop) {
      shop.service.set('price', 'fine')
    },
  },
  {
    name: 'a handler sleeps durably',
    by: 'an order that asks for it',
    expects: ['suspended'],
    agent: 'shop.pricer',
    inject: async (shop) => since(await shop.place('nap')),
  },
  {
    name: 'offsets do not move: an intruder in the group takes partitions and reads nothing',
    by: 'group join from another program',
    expects: ['group-stuck'],
    agent: 'shop.checker',
    async inject(shop) {
      intruder = await joinGroup(
        shop.stack.broker,
        { group: 'shop.checker', topics: ['shop.order-placed'] },
        { onBatch: ({ fromOffset }) => fromOffset },
      )
      const member = intruder
      await waitFor(() => member.assigned().length > 0, { timeoutMs: 60_000, what: 'the intruder to have a partition' })
      return since(await shop.placeIn(member.assigned()[0]?.partition ?? 0))
    },
    async heal() {
      await intruder?.consumer.stop()
    },
  },
  {
    name: 'an event that kills its process, three times',
    by: 'an order that does it',
    expects: ['quarantined'],
    agent: 'shop.pricer',
    async inject(shop) {
      await shop.start(['pricer'])
      const id = await shop.place('death', 'gina')
      await waitFor(
        async () => {
          for (const { running } of shop.processes('pricer').slice(-3))
            if (running.child.exitCode === null) return isQuarantined(shop, id)
          await shop.start(['pricer']).catch(() => undefined)
          return false
        },
        { timeoutMs: 180_000, what: 'three deaths' },
      )
      return since(id)
    },
    async heal(shop) {
      await shop.end('pricer')
      await shop.start(['pricer'])
    },
  },
]

async function isQuarantined(shop: Shop, id: string): Promise<boolean> {
  const { broker } = shop.stack
  const ends = await broker.admin.offsets('shop.pricer.dead-letter')
  for (const { partition, startOffset, endOffset } of ends) {
    if (startOffset === endOffset) continue
    const at = { topic: 'shop.pricer.dead-letter', partition, fromOffset: startOffset, toOffset: endOffset }
    for await (const records of broker.reader.read(at)) {
      if (records.some(({ headers }) => String(headers['ce_id']) === id)) return true
    }
  }
  return false
}
