/** One simulated process: a service with its own clock and connections, which can be killed, stalled and stopped in good order. */
import type { EventCodec } from '../../../contracts/codec.ts'
import type { ContractSet } from '../../../contracts/contract-set.ts'
import { noTracer } from '../../../tracing/create-tracer.ts'
import type { MemoryConnection } from '../../adapters/memory/broker.ts'
import type { Agent } from '../../agent.ts'
import type { TopicPartition } from '../../ports/broker.ts'
import type { Store } from '../../ports/claim-store.ts'
import type { Logger } from '../../ports/logger.ts'
import { Service } from '../../service/service.ts'
import { clockOf, Life } from './life.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Tamper } from './scene.ts'
import { simulatedBroker } from './simulated-broker.ts'
import type { SimulatedRegistry } from './simulated-registry.ts'
import { simulatedStore, type StoreWitness } from './simulated-store.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What all processes of a run share. */
export interface ProcessHost {
  readonly contracts: ContractSet
  readonly codec: EventCodec
  readonly schemaIds: ReadonlyMap<string, number>
  readonly time: VirtualTime
  readonly trace: Trace
  readonly network: Network
  readonly registry: SimulatedRegistry
  /** Jitter of the runtime. */
  readonly random: Random
  readonly connection: () => MemoryConnection
  readonly store: Store
  readonly log: Logger
  readonly isHeldBack: (position: TopicPartition) => boolean
  readonly witness: StoreWitness
  /** The agents as this process runs them: with slow and failing handlers, watched. */
  readonly agentsOf: (life: Life) => readonly Agent[]
  readonly onFatal: (life: Life, error: unknown) => void
  /** Puts other ports in place. */
  readonly tamper: Required<Tamper>
  /** A process could not start: whoever runs it starts it again. */
  readonly startAgain: () => void
}

/** Leases, sessions and drains as they are by default; more commits, so that there is more to go wrong. */
const SETTINGS = {
  namespace: '',
  leaseMs: 10_000,
  drainTimeoutMs: 20_000,
  limits: {
    maxOpen: 5_000,
    maxOpenBytes: 64_000_000,
    commitIntervalMs: 1_000,
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 1_000,
  },
  dedup: true,
} as const

/** See the file's head. */
export class SimulatedProcess {
  readonly life: Life
  readonly #connection: MemoryConnection
  readonly #service: Service
  #state: 'up' | 'leaving' | 'gone' = 'up'

  constructor(name: string, host: ProcessHost) {
    const { time, trace, network, random, log, contracts, codec, schemaIds } = host
    this.life = new Life(name)
    const clock = clockOf(this.life, time, random)
    const { life } = this
    this.#connection = host.connection()
    const { isHeldBack, witness, tamper } = host
    this.#service = new Service({
      ...SETTINGS,
      ...{ contracts, schemaIds, clock, log },
      codec: host.registry.codecOf(codec, this.life, network),
      agents: host.agentsOf(life),
      broker: tamper.broker(simulatedBroker({ connection: this.#connection, life, network, trace, isHeldBack })),
      store: tamper.store(simulatedStore(host.store, life, network, witness)),
      tracer: noTracer,
      onFatal: (error) => host.onFatal(life, error),
      instance: name,
    })
    trace.note(`${name} starts`)
    this.#service.start().catch((error: unknown) => {
      trace.note(`${name} cannot start: ${String(error)}`)
      const isWanted = this.#state === 'up'
      this.kill()
      if (isWanted) host.startAgain()
    })
  }

  /** Running or standing still, and not on its way out. */
  get isUp(): boolean {
    return this.#state === 'up' && !this.life.isDead
  }

  get isGone(): boolean {
    return this.#state === 'gone' || this.life.isDead
  }

  get problems(): readonly string[] {
    return this.#service.health.problems
  }

  kill(): void {
    this.life.die()
  }

  stall(): void {
    this.life.stall()
    this.#connection.stall()
  }

  wake(): void {
    if (!this.life.isStalled) return
    this.#connection.wake()
    this.life.wake()
  }

  expel(group: string): void {
    this.#connection.expel(group)
  }

  /** SIGTERM. Returns at once. */
  leave(): void {
    if (this.#state !== 'up') return
    this.#state = 'leaving'
    this.life.run(() => {
      void this.#service.stop().then(
        () => (this.#state = 'gone'),
        () => this.kill(),
      )
    })
  }
}
