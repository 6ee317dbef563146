/** Says the first events of a run, spread over its beginning, some of them twice. Ids follow from the seed and the flow's number. */
import type { EventCodec } from '../../../contracts/codec.ts'
import type { ContractSet } from '../../../contracts/contract-set.ts'
import { deriveId } from '../../../contracts/ids.ts'
import { noTracer } from '../../../tracing/create-tracer.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import { silentLogger } from '../../ports/logger.ts'
import { BatchingProducer } from '../../publish/batching-producer.ts'
import { FactWriter } from '../../publish/fact-writer.ts'
import { FirstEvents } from '../../publish/first-events.ts'
import type { Random } from './random.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A first event to publish. */
export interface FirstEventSample {
  readonly topic: string
  readonly value: unknown
  /** Record key. @default the contract's key field, else the flow id */
  readonly key?: string
}

/** What a load works with. */
export interface LoadOptions {
  readonly seed: number
  readonly flows: number
  readonly withinMs: number
  /** The first event of a flow. */
  readonly next: (random: Random, flow: number) => FirstEventSample
  readonly random: Random
  readonly time: VirtualTime
  readonly clock: Clock
  readonly broker: Broker
  readonly contracts: ContractSet
  readonly codec: EventCodec
}

/** The publisher of a run, as facts name it. */
export const SIMULATED_PUBLISHER = 'simulation'
const TWICE_SHARE = 0.1
/** Without a key of its own every flow is alone in its lane, and there is no order to keep. */
const SHARED_KEY_SHARE = 0.3
const SHARED_KEYS = 4

/** One per run. */
export class Load {
  #open = 0

  /** True when every event and its fact are acknowledged. */
  get isOver(): boolean {
    return this.#open === 0
  }

  /** Sets the events in motion. @throws LABAN_CONTRACT_VALIDATION, LABAN_CONTRACT_RULE when a sample does not fit its contract */
  async begin(options: LoadOptions): Promise<void> {
    const { broker, clock, codec, contracts, seed, flows, withinMs, random, time } = options
    const producer = new BatchingProducer({ producer: await broker.producer(), clock, log: silentLogger })
    const facts = new FactWriter(producer, codec)
    const identity = { source: SIMULATED_PUBLISHER, instance: SIMULATED_PUBLISHER, tracer: noTracer }
    const events = new FirstEvents({ ...identity, contracts, codec, producer, facts, clock })
    for (let flow = 0; flow < flows; flow++) {
      const { topic, value, key } = options.next(random, flow)
      const sharedKey = random.chance(SHARED_KEY_SHARE) ? `key-${random.between(1, SHARED_KEYS)}` : undefined
      const chosen = key ?? (contracts.get(topic).keyField === null ? sharedKey : undefined)
      const eventId = deriveId('simulation', String(seed), String(flow))
      const event = { eventId, topic, value, ...(chosen === undefined ? {} : { key: chosen }) }
      const times = random.chance(TWICE_SHARE) ? 2 : 1
      for (let count = 0; count < times; count++) {
        this.#open++
        time.after(random.between(0, withinMs), () => {
          void events.append([events.prepare(event)]).finally(() => this.#open--)
        })
      }
    }
  }
}
