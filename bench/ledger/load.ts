/** Puts facts of copied credit flows on the log, as they come from many flows at once: facts of neighbours are interleaved. */
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import type { Fact } from '../../contracts/fact.ts'
import type { Uuid } from '../../contracts/ids.ts'
import type { BrokerProducer, OutgoingRecord } from '../../runtime/ports/broker.ts'
import { copyFlow, runCredit } from '../../test/harness/credit-facts.ts'
import type { LedgerBench } from './setup.ts'

/** Flows under way at once. */
const INTERLEAVED = 200
const MAX_SENT = 2_000
const MAX_SAMPLES = 5_000

/** See the file's head. */
export class FactLoad {
  readonly #bench: LedgerBench
  readonly #producer: BrokerProducer
  readonly #templates: readonly (readonly Fact[])[]
  readonly #beganAtMs = Date.now()
  /** Some of the flows, evenly spread. */
  readonly sampleIds: Uuid[] = []

  private constructor(bench: LedgerBench, producer: BrokerProducer, templates: readonly (readonly Fact[])[]) {
    this.#bench = bench
    this.#producer = producer
    this.#templates = templates
  }

  /** Runs the sample's applications, and announces their agents. */
  static async prepare(bench: LedgerBench): Promise<FactLoad> {
    const { flows, manifests } = await runCredit()
    const producer = await bench.broker.producer()
    await producer.send(
      manifests.map((manifest) => ({
        topic: AGENTS_TOPIC,
        key: `${manifest.agent}|${manifest.instance}`,
        value: bench.codec.encode(AGENTS_TOPIC, manifest),
        headers: {},
      })),
    )
    return new FactLoad(bench, producer, flows)
  }

  /** Appends as fast as it goes; the answer is how many facts. */
  async append({ flows, seed }: { readonly flows: number; readonly seed: string }): Promise<number> {
    let facts = 0
    for (let begin = 0; begin < flows; begin += INTERLEAVED) {
      const records = this.#records(begin, Math.min(flows, begin + INTERLEAVED), seed)
      facts += records.length
      for (let at = 0; at < records.length; at += MAX_SENT) await this.#producer.send(records.slice(at, at + MAX_SENT))
      const every = Math.max(1, Math.floor(flows / MAX_SAMPLES))
      if (begin % every === 0 || every <= INTERLEAVED) {
        const id = records[0]?.key
        if (typeof id === 'string') this.sampleIds.push(id)
      }
    }
    return facts
  }

  /** Appends at a steady rate. */
  async pace(options: {
    readonly factsPerSecond: number
    readonly seconds: number
    readonly seed: string
  }): Promise<{ readonly facts: number; readonly seconds: number }> {
    const { factsPerSecond, seconds, seed } = options
    const startedAtMs = performance.now()
    let facts = 0
    for (let begin = 0; performance.now() - startedAtMs < seconds * 1_000; begin += INTERLEAVED) {
      const records = this.#records(begin, begin + INTERLEAVED, seed)
      for (let at = 0; at < records.length; at += MAX_SENT) {
        const part = records.slice(at, at + MAX_SENT)
        const dueInMs = (facts / factsPerSecond) * 1_000 - (performance.now() - startedAtMs)
        if (dueInMs > 0) await new Promise((resolve) => setTimeout(resolve, dueInMs))
        await this.#producer.send(part)
        facts += part.length
      }
    }
    return { facts, seconds: (performance.now() - startedAtMs) / 1_000 }
  }

  #records(from: number, to: number, seed: string): OutgoingRecord[] {
    const flows = Array.from({ length: to - from }, (_, index) => this.#flow(from + index, seed))
    const longest = Math.max(...flows.map((facts) => facts.length))
    return Array.from({ length: longest }, (_, round) => flows.flatMap((facts) => facts[round] ?? []))
      .flat()
      .map((fact) => ({
        topic: FACTS_TOPIC,
        key: fact.flowId,
        value: this.#bench.codec.encode(FACTS_TOPIC, fact),
        headers: {},
      }))
  }

  #flow(index: number, seed: string): readonly Fact[] {
    const template = this.#templates[index % this.#templates.length] ?? []
    const laterMs = Date.now() - this.#beganAtMs
    return copyFlow(template, `${this.#bench.namespace} ${seed} ${index}`, laterMs)
  }
}
