/** Puts facts on `laban.facts`, keyed by flow id, through the same batched sends as events. */
import { FACTS_TOPIC } from '../../contracts/contract.ts'
import type { EventCodec } from '../../contracts/codec.ts'
import type { Fact } from '../../contracts/fact.ts'
import type { BatchingProducer } from './batching-producer.ts'

const NO_HEADERS = {}

/** See the file's head. */
export class FactWriter {
  readonly #producer: BatchingProducer
  readonly #codec: EventCodec
  readonly #onWritten: ((facts: readonly Fact[]) => void) | undefined

  /** `onWritten` is told of facts once they are acknowledged: from then on what they say is so. */
  constructor(producer: BatchingProducer, codec: EventCodec, onWritten?: (facts: readonly Fact[]) => void) {
    this.#producer = producer
    this.#codec = codec
    this.#onWritten = onWritten
  }

  /** Resolves when the facts are acknowledged. */
  async append(...facts: readonly Fact[]): Promise<void> {
    await this.#producer.append(
      facts.map((fact) => ({
        topic: FACTS_TOPIC,
        key: fact.flowId,
        value: this.#codec.encode(FACTS_TOPIC, fact),
        headers: NO_HEADERS,
      })),
    )
    this.#onWritten?.(facts)
  }
}
