/** Says the events of a test. Those of one flow name belong to one flow; their ids depend on nothing but the test itself. */
import { hash } from 'node:crypto'
import { FACTS_TOPIC, keyOfValue } from '../../contracts/contract.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import { encodeEnvelope } from '../../contracts/envelope.ts'
import { LabanError } from '../../contracts/errors.ts'
import { momentaryFact } from '../../contracts/fact.ts'
import { deriveId } from '../../contracts/ids.ts'
import type { Appended, BrokerProducer } from '../ports/broker.ts'
import type { Clock } from '../ports/clock.ts'

/** What a test may say of an event beside its value. */
export interface GivenEvent {
  /** Events of the same name share a flow; the first one begins it. @default 'flow' */
  readonly flow?: string
  /** Tells the event apart: the same id in the same flow is the same event said again. @default its ordinal in the flow */
  readonly id?: string
  /** Record key. @default the contract's key field, else the flow id */
  readonly key?: string
}

/** `ce_source` of what a test says. */
export const TEST_SOURCE = 'test'

interface Flow {
  readonly flowId: string
  count: number
}

/** What a narrator works with. */
export interface NarratorParts {
  readonly contracts: ContractSet
  readonly codec: EventCodec
  readonly producer: BrokerProducer
  readonly clock: Clock
}

/** See the file's head. */
export class Narrator {
  readonly #parts: NarratorParts
  readonly #flows = new Map<string, Flow>()

  constructor(parts: NarratorParts) {
    this.#parts = parts
  }

  /** Id of a flow that was begun. @throws LABAN_FLOW_NOT_FOUND */
  flowId(name = 'flow'): string {
    const flow = this.#flows.get(name)
    if (flow === undefined) throw new LabanError('LABAN_FLOW_NOT_FOUND', { flowId: name })
    return flow.flowId
  }

  /** Appends the event and its fact. @throws LABAN_CONTRACT_VALIDATION, LABAN_CONTRACT_RULE, LABAN_CONTRACT_UNKNOWN_TOPIC */
  async say(topic: string, value: unknown, given: GivenEvent = {}): Promise<string> {
    const { contracts, codec, producer } = this.#parts
    const contract = contracts.get(topic)
    const encoded = codec.encode(topic, value)
    const name = given.flow ?? 'flow'
    const known = this.#flows.get(name)
    const eventId = deriveId('test', name, topic, given.id ?? String(known?.count ?? 0))
    const flow = known ?? { flowId: eventId, count: 0 }
    this.#flows.set(name, flow)
    flow.count++
    const { flowId } = flow
    const key = given.key ?? keyOfValue(contract, value) ?? flowId
    const headers = encodeEnvelope({
      id: eventId,
      type: topic,
      source: TEST_SOURCE,
      time: new Date(this.#parts.clock.nowMs()).toISOString(),
      flowId,
      // Who caused it is not part of the test: each is a root of its flow.
      causes: [],
      hop: 0,
    })
    const [place] = await producer.send([{ topic, key, value: encoded, headers }])
    if (place === undefined)
      throw new LabanError('LABAN_INVARIANT', { problem: 'an acknowledged event has no position' })
    await this.#noteFact({ eventId, flowId, key, place, encoded })
    return eventId
  }

  async #noteFact(said: {
    readonly eventId: string
    readonly flowId: string
    readonly key: string
    readonly place: Appended
    readonly encoded: Buffer
  }): Promise<void> {
    const { codec, producer, clock } = this.#parts
    const { eventId, flowId, key, place, encoded } = said
    const { topic, partition, offset } = place
    const contentHash = hash('sha256', encoded, 'hex').slice(0, 16)
    const fact = momentaryFact(clock.nowMs(), {
      ...{ outcome: 'published', flowId, agent: TEST_SOURCE, instance: TEST_SOURCE, handlingId: eventId },
      outputs: [{ eventId, topic, partition, offset, hash: contentHash, key: key === flowId ? null : key }],
    })
    await producer.send([{ topic: FACTS_TOPIC, key: flowId, value: codec.encode(FACTS_TOPIC, fact), headers: {} }])
  }
}
