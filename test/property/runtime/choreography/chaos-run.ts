/**
 * One small choreography in memory under a plan of mishaps: two agents fork each flow, a join brings it together, a last one
 * counts it. Every handler adds a nonce, so that a second run of a handling cannot pass for the first.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { SendFault } from '../../../../runtime/adapters/memory/faults.ts'
import type { Agent } from '../../../../runtime/agent.ts'
import type { OffsetCommit, OutgoingRecord } from '../../../../runtime/ports/broker.ts'
import type { Service } from '../../../../runtime/service/service.ts'
import type { Fact } from '../../../../contracts/fact.ts'
import { memoryWorld, testAgent, type Note, type SeenEvent, type TestContext } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

export const AGENTS = ['test.a', 'test.b', 'test.join', 'test.sink'] as const
export const EVENT_TOPICS = ['test.in', 'test.left', 'test.right', 'test.out'] as const

/** What happens next. */
export type Mishap =
  | { readonly kind: 'publish'; readonly id: number; readonly key: number }
  | { readonly kind: 'turns'; readonly count: number }
  | { readonly kind: 'kill' | 'leave'; readonly which: number }
  | { readonly kind: 'join' }
  | { readonly kind: 'expel'; readonly agent: number }
  | { readonly kind: 'loseAnswers' | 'loseAcks' | 'refuseSends'; readonly count: number }
  | { readonly kind: 'storeAway'; readonly forMs: number }

const count = fc.integer({ min: 1, max: 4 })
export const mishaps: fc.Arbitrary<Mishap[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constant('publish' as const), id: fc.nat(9), key: fc.nat(2) }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 60 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), which: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'join' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('expel' as const), agent: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('loseAnswers' as const), count }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('loseAcks' as const), count }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuseSends' as const), count }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('storeAway' as const), forMs: fc.nat(40) }) },
  ),
  { minLength: 15, maxLength: 50 },
)

/** What a run left behind: the log, in the order in which it was written, and nothing else. */
export interface Remains {
  readonly flows: ReadonlySet<string>
  readonly events: ReadonlyMap<string, readonly SeenEvent[]>
  /** In the order of their appends. */
  readonly facts: readonly Fact[]
  /** Every commit, with the number of facts that were on the log by then. */
  readonly commits: readonly { readonly agent: string; readonly commit: OffsetCommit; readonly facts: number }[]
}

const LIMITS = {
  ...{ maxOpen: 100, maxOpenBytes: 1_000_000, commitIntervalMs: 10 },
  ...{ sessionTimeoutMs: 100, heartbeatIntervalMs: 20 },
}
const SERVICE = { leaseMs: 150, drainTimeoutMs: 1_000, limits: LIMITS }

/** Runs a plan to its end: all servers are back, every flow has come through, everybody has left. */
export async function chaosRun(plan: readonly Mishap[], options: { dedup: boolean }): Promise<Remains> {
  const run = await ChaosRun.begin(options.dedup)
  for (const mishap of plan) await run.suffer(mishap)
  return run.end()
}

class ChaosRun {
  readonly #world: Awaited<ReturnType<typeof memoryWorld>>
  readonly #watch: Watch
  readonly #dedup: boolean
  readonly #living: { service: Service; kill(): void }[] = []
  readonly #flows = new Set<string>()

  private constructor(world: Awaited<ReturnType<typeof memoryWorld>>, watch: Watch, dedup: boolean) {
    this.#world = world
    this.#watch = watch
    this.#dedup = dedup
  }

  static async begin(dedup: boolean): Promise<ChaosRun> {
    const watch = new Watch()
    const world = await memoryWorld({ faults: watch })
    watch.decode = (value) => world.codec.decode('laban.facts', value, { partition: 0, offset: 0 })
    const run = new ChaosRun(world, watch, dedup)
    await run.#join()
    await run.#join()
    return run
  }

  async suffer(mishap: Mishap): Promise<void> {
    switch (mishap.kind) {
      case 'publish': {
        const send = () =>
          this.#world.publish('test.in', { text: `n${mishap.id}` }, { id: `n${mishap.id}`, key: `k${mishap.key}` })
        this.#flows.add(await waitFor(send, { what: 'a first event to be taken' }))
        return
      }
      case 'turns':
        for (let turn = 0; turn < mishap.count; turn++) await nextTurn()
        return
      case 'join':
        return this.#living.length < 4 ? this.#join() : undefined
      case 'kill':
        this.#pick(mishap.which)?.kill()
        return
      case 'leave':
        return this.#pick(mishap.which)?.service.stop()
      case 'expel':
        return this.#world.memory.expel(AGENTS[mishap.agent] ?? AGENTS[0])
      case 'loseAnswers':
        return this.#world.memoryStore.faults.loseAnswers(mishap.count)
      case 'storeAway':
        return this.#world.memoryStore.faults.unavailableFor(mishap.forMs)
      case 'loseAcks':
      case 'refuseSends':
        for (let one = 0; one < mishap.count; one++)
          this.#watch.sendFaults.push(mishap.kind === 'loseAcks' ? 'lost-ack' : 'unavailable')
    }
  }

  async end(): Promise<Remains> {
    this.#watch.sendFaults.length = 0
    this.#world.memoryStore.faults.unavailableFor(0)
    this.#world.memoryStore.faults.loseAnswers(0)
    await this.#join()
    await waitFor(() => this.#checkCommitted(), { what: 'everything to be committed', timeoutMs: 30_000 })
    await Promise.all(this.#living.map(({ service }) => service.stop()))
    const events = new Map<string, readonly SeenEvent[]>()
    for (const topic of EVENT_TOPICS) events.set(topic, await this.#world.events(topic))
    await this.#world.stop()
    return { flows: this.#flows, events, facts: this.#watch.facts, commits: this.#watch.commits }
  }

  /** Every record of every topic lies below the offset committed by each of its readers. @throws what is missing */
  async #checkCommitted(): Promise<true> {
    const { admin } = this.#world.broker
    for (const agent of agents) {
      const committed = await admin.groupOffsets(agent.name, agent.topics)
      for (const topic of agent.topics) {
        for (const { partition, endOffset } of await admin.offsets(topic)) {
          const found = committed.find((commit) => commit.topic === topic && commit.partition === partition)
          if ((found?.offset ?? 0) >= endOffset) continue
          const health = JSON.stringify(this.#living.map(({ service }) => service.health))
          throw new Error(
            `${agent.name} committed ${found?.offset} of ${endOffset} in ${topic}/${partition}; ${health}`,
          )
        }
      }
    }
    return true
  }

  async #join(): Promise<void> {
    const instance = randomUUID()
    this.#living.push(
      await waitFor(() => this.#world.startMortal(agents, { ...SERVICE, instance, dedup: this.#dedup }), {
        what: 'a service to start',
      }),
    )
  }

  /** Somebody stays alive, so that commits can be waited for. */
  #pick(which: number): { service: Service; kill(): void } | undefined {
    return this.#living.length < 2 ? undefined : this.#living.splice(which % this.#living.length, 1)[0]
  }
}

/** Hears every send and commit as the broker does, and lets some sends fail. */
class Watch {
  readonly facts: Fact[] = []
  readonly commits: { agent: string; commit: OffsetCommit; facts: number }[] = []
  readonly sendFaults: SendFault[] = []
  decode: (value: Buffer) => unknown = () => undefined

  readonly onSend = (records: readonly OutgoingRecord[]): SendFault | undefined => {
    const fault = this.sendFaults.shift()
    if (fault === 'unavailable') return fault
    for (const { topic, value } of records) {
      if (topic !== 'laban.facts' || value === null) continue
      const decoded = this.decode(value) as { value: Fact }
      this.facts.push(decoded.value)
    }
    return fault
  }

  readonly onCommit = (agent: string, commits: readonly OffsetCommit[]): undefined => {
    for (const commit of commits) this.commits.push({ agent, commit, facts: this.facts.length })
  }
}

/** Some handlings end in the same turn, some within the time after which they are claimed, some later. */
async function work(): Promise<void> {
  const turns = Math.floor(Math.random() ** 4 * 300)
  for (let turn = 0; turn < turns; turn++) await nextTurn()
}

const fork = (name: string, topic: 'test.left' | 'test.right'): Agent =>
  testAgent({
    ...{ name, consumes: 'test.in', produces: [topic], retry: { maxAttempts: 50, baseDelayMs: 1, maxDelayMs: 5 } },
    handle: async (event: Note, { publish }: TestContext) => {
      await work()
      if (Math.random() < 0.05) throw new TypeError('now and then')
      publish(topic, { text: `${event.text}#${Math.random()}` })
    },
  })

const agents: readonly Agent[] = [
  fork('test.a', 'test.left'),
  fork('test.b', 'test.right'),
  testAgent({
    ...{ name: 'test.join', consumes: { all: ['test.left', 'test.right'] }, produces: ['test.out'] },
    handle: async (events: Record<'test.left' | 'test.right', Note>, { publish }: TestContext) => {
      await work()
      publish('test.out', { text: `${events['test.left'].text}+${events['test.right'].text}#${Math.random()}` })
    },
  }),
  testAgent({ name: 'test.sink', consumes: 'test.out', handle: () => work() }),
]
