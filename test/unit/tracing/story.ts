/** Tells small flows as facts, records and manifests, the way the runtime writes them. Times are milliseconds since the flow began. */
import type { Fact, FactInput, FactOutcome, FactOutput, FactStep } from '../../../contracts/fact.ts'
import { deriveId, joinHandlingId, outputId, type Uuid } from '../../../contracts/ids.ts'
import type { Manifest } from '../../../contracts/manifest.ts'
import type { SeenEvent } from '../../../tracing/event-drafts.ts'
import { reconstructFlow } from '../../../tracing/reconstruct.ts'
import type { FlowGraph } from '../../../tracing/flow-graph.ts'

/** 2026-01-01T10:00:00.000Z. */
export const EPOCH_MS = 1_767_261_600_000

/** An event of a story. */
export type ToldEvent = FactInput & { readonly atMs: number }

/** Times and other parts of a fact that matter to a test. */
export interface Telling {
  readonly from?: number
  readonly to?: number
  readonly attempt?: number
  readonly join?: boolean
  readonly steps?: readonly FactStep[]
  readonly detail?: Record<string, string>
  readonly error?: readonly [code: string, message: string]
}

/** See the file's head. */
export class Story {
  readonly flowId: Uuid
  readonly facts: Fact[] = []
  readonly records: SeenEvent[] = []
  readonly manifests: Manifest[] = []
  #offset = 0

  constructor(name: string) {
    this.flowId = deriveId('story', name)
  }

  agent(agent: string, consumes: readonly string[], join = false): this {
    const announced = {
      formatVersion: 1,
      agent,
      version: '1.0.0',
      summary: '',
      instance: `${agent}-1`,
      host: 'h',
      pid: 1,
    }
    const produces = { always: [], oneOf: [], maybe: [], policies: {}, schemaIds: {}, subscribedFrom: {} }
    const times = { startedAtMs: EPOCH_MS, seenAtMs: EPOCH_MS }
    this.manifests.push({ ...announced, ...produces, ...times, state: 'running', consumes, join })
    return this
  }

  first(topic: string, source = 'loans.csv'): ToldEvent {
    const event = this.#event(topic, { eventId: this.flowId, source, atMs: 0, hop: 0, causes: [] })
    this.#tell('published', source, [], { outputs: [event] })
    return event
  }

  /** A completed handling; one output per topic. */
  completed(
    agent: string,
    inputs: readonly ToldEvent[],
    topics: readonly string[],
    telling: Telling = {},
  ): ToldEvent[] {
    const outputs = this.outputs(agent, inputs, topics, telling.to ?? 0)
    this.#tell('completed', agent, inputs, { ...telling, outputs })
    return outputs
  }

  /** Any other fact. */
  tell(outcome: FactOutcome, agent: string, inputs: readonly ToldEvent[], telling: Telling = {}): void {
    this.#tell(outcome, agent, inputs, telling)
  }

  /** Outputs that were published without a fact. */
  outputs(agent: string, inputs: readonly ToldEvent[], topics: readonly string[], atMs: number): ToldEvent[] {
    const handlingId = this.#handlingId(agent, inputs)
    return topics.map((topic, index) =>
      this.#event(topic, {
        eventId: outputId(agent, handlingId, 'handle', topic, String(index)),
        source: agent,
        atMs,
        hop: 1 + Math.max(...inputs.map((input) => input.hop)),
        causes: inputs.map((input) => input.eventId),
      }),
    )
  }

  graph(): FlowGraph {
    return reconstructFlow({ flowId: this.flowId, facts: this.facts, manifests: this.manifests })
  }

  graphFromLog(): FlowGraph {
    return reconstructFlow({ flowId: this.flowId, facts: this.facts, manifests: this.manifests, events: this.records })
  }

  #handlingId(agent: string, inputs: readonly ToldEvent[], join = inputs.length > 1): Uuid {
    return join ? joinHandlingId(agent, this.flowId) : (inputs[0]?.eventId ?? this.flowId)
  }

  #event(topic: string, parts: Pick<ToldEvent, 'eventId' | 'source' | 'atMs' | 'hop' | 'causes'>): ToldEvent {
    const offset = this.#offset++
    const { eventId: id, source, hop, causes, atMs } = parts
    const recordedAtMs = EPOCH_MS + atMs
    const time = new Date(recordedAtMs).toISOString()
    const envelope = { id, type: topic, source, time, flowId: this.flowId, causes, hop, contentHash: `hash-${id}` }
    this.records.push({ envelope, position: { topic, partition: 0, offset }, recordedAtMs, key: null })
    return { ...parts, topic, partition: 0, offset, recordedAtMs, key: null }
  }

  #tell(
    outcome: FactOutcome,
    agent: string,
    inputs: readonly ToldEvent[],
    telling: Telling & { outputs?: readonly ToldEvent[] },
  ): void {
    const from = telling.from ?? telling.to ?? 0
    this.facts.push({
      formatVersion: 1,
      outcome,
      flowId: this.flowId,
      agent,
      agentVersion: outcome === 'published' ? '' : '1.0.0',
      instance: `${agent}-1`,
      handlingId: this.#handlingId(agent, inputs, telling.join),
      inputs: inputs.map(({ atMs: _, ...input }) => input),
      attempt: telling.attempt ?? 1,
      startedAtMs: EPOCH_MS + from,
      endedAtMs: EPOCH_MS + (telling.to ?? from),
      errorCode: telling.error?.[0] ?? null,
      errorMessage: telling.error?.[1] ?? null,
      traceId: this.flowId.replaceAll('-', ''),
      spanId: null,
      outputs: (telling.outputs ?? []).map(factOutput),
      steps: telling.steps ?? [],
      detail: telling.detail ?? {},
    })
  }
}

function factOutput({ eventId, topic, partition, offset, key }: ToldEvent): FactOutput {
  return { eventId, topic, partition, offset, hash: `hash-${eventId}`, key }
}
