/** Collects what facts and records say about events. Every merge is order-free: the same findings in any order give the same events. */
import type { Envelope } from '../contracts/envelope.ts'
import type { Fact } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import { added, EventDraft, NO_CAUSES, type Causes, type EventCopy, type HandlingDraft } from './flow-drafts.ts'
import type { LogPosition } from './flow-graph.ts'

/** An event as it was met on its topic: headers, and of the value only its hash. */
export interface SeenEvent {
  readonly envelope: Envelope
  readonly position: LogPosition
  readonly recordedAtMs: number
  /** Record key where it is not the flow id. */
  readonly key: string | null
  /** Of the value, as facts have it; absent: what the record says of itself counts. */
  readonly hash?: string
}

/** The text form of a position, as dead letters and messages name it. */
export function positionText({ topic, partition, offset }: LogPosition): string {
  return `${topic}/${partition}@${offset}`
}

/** See the file's head. */
export class EventDrafts {
  readonly #byId = new Map<Uuid, EventDraft>()

  /** What has this id, an event or only handlings; made when it is new. */
  at(id: Uuid): EventDraft {
    let draft = this.#byId.get(id)
    if (draft === undefined) this.#byId.set(id, (draft = new EventDraft(id)))
    return draft
  }

  /** Everything that something speaks of as an event. */
  all(): EventDraft[] {
    const events: EventDraft[] = []
    for (const draft of this.#byId.values()) if (draft.isNamed) events.push(draft)
    return events
  }

  /** Inputs and outputs of a fact. `handling` is null for the `published` fact of a first event. */
  addFact(fact: Fact, handling: HandlingDraft | null): void {
    const { inputs, outputs } = fact
    for (const input of inputs) {
      const draft = input.eventId === handling?.of.id ? handling.of : this.at(input.eventId)
      this.#describe(draft, input)
      draft.inFacts = true
      if (!this.#isCausedBy(draft, input.causes)) this.#addCauses(draft, this.#causesOf(input.causes))
      addCopy(draft, input, input.recordedAtMs, '')
    }
    if (outputs.length === 0) return
    const said = {
      topic: '',
      key: null as string | null,
      hop: handling === null ? 0 : hopAfter(fact),
      source: fact.agent,
    }
    const causes = inputs.length === 0 ? NO_CAUSES : this.#causesOf(inputs.map((input) => input.eventId))
    for (const output of outputs) {
      const draft = this.at(output.eventId)
      said.topic = output.topic
      said.key = output.key
      this.#describe(draft, said)
      draft.inFacts = true
      this.#addCauses(draft, causes)
      if (handling !== null && (draft.publishedBy === null || handling.key < draft.publishedBy.key)) {
        draft.publishedBy = handling
      }
      if (output.offset >= 0) addCopy(draft, output, null, output.hash)
    }
  }

  /** A record met on its topic. */
  addSeen({ envelope, position, recordedAtMs, key, hash = envelope.contentHash ?? '' }: SeenEvent): void {
    const draft = this.at(envelope.id)
    this.#describe(draft, { topic: position.topic, key, hop: envelope.hop, source: envelope.source })
    if (!this.#isCausedBy(draft, envelope.causes)) this.#addCauses(draft, this.#causesOf(envelope.causes))
    draft.seen = true
    addCopy(draft, position, recordedAtMs, hash)
  }

  #describe(draft: EventDraft, found: Pick<EventDraft, 'topic' | 'key' | 'hop' | 'source'>): void {
    draft.isNamed = true
    if (draft.topic === '' || found.topic < draft.topic) draft.topic = found.topic
    draft.key = smaller(draft.key, found.key)
    draft.hop = draft.hop === null || (found.hop !== null && found.hop < draft.hop) ? found.hop : draft.hop
    draft.source = smaller(draft.source, found.source)
  }

  #isCausedBy({ causes }: EventDraft, ids: readonly Uuid[]): boolean {
    for (const id of ids) if (!causes.ids.includes(id)) return false
    return true
  }

  /** A join's output names all its causes; a fact that knows fewer of them adds nothing. */
  #addCauses(draft: EventDraft, found: Causes): void {
    if (draft.causes === NO_CAUSES) draft.causes = found
    else if (!this.#isCausedBy(draft, found.ids)) draft.causes = this.#causesOf([...draft.causes.ids, ...found.ids])
  }

  /** A cause that nothing else tells of is still an event. */
  #causesOf(ids: readonly Uuid[]): Causes {
    const sorted = ids.length < 2 ? ids : [...new Set(ids)].sort()
    const events = sorted.map((id) => this.at(id))
    for (const event of events) event.isNamed = true
    return { ids: events.map(({ id }) => id), events }
  }
}

/** The lowest position of an event in log order: where its identity was first put on the log. */
export function firstPosition(event: EventDraft): LogPosition | null {
  let first = event.copy?.position ?? null
  for (const { position } of event.moreCopies) {
    if (first === null || comparePositions(position, first) < 0) first = position
  }
  return first
}

/** When the first record of an event was appended. */
export function recordedAt(event: EventDraft): number | null {
  let first = event.copy?.recordedAtMs ?? null
  for (const { recordedAtMs } of event.moreCopies) {
    if (first === null || (recordedAtMs !== null && recordedAtMs < first)) first = recordedAtMs
  }
  return first
}

/** Positions in log order. */
export function sortPositions(positions: readonly LogPosition[]): LogPosition[] {
  return [...positions].sort(comparePositions)
}

function comparePositions(a: LogPosition, b: LogPosition): number {
  return (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0) || a.partition - b.partition || a.offset - b.offset
}

function isSamePlace(a: LogPosition, b: LogPosition): boolean {
  return a.offset === b.offset && a.partition === b.partition && a.topic === b.topic
}

/** The same position told twice is one record; whoever knows more about it wins. */
function addCopy(draft: EventDraft, place: LogPosition, recordedAtMs: number | null, hash: string): void {
  let known: EventCopy | undefined
  if (draft.copy !== null) {
    known = isSamePlace(draft.copy.position, place)
      ? draft.copy
      : draft.moreCopies.find(({ position }) => isSamePlace(position, place))
  }
  if (known !== undefined) {
    if (recordedAtMs !== null) known.recordedAtMs = Math.max(known.recordedAtMs ?? recordedAtMs, recordedAtMs)
    if (hash > known.hash) known.hash = hash
    return
  }
  const { topic, partition, offset } = place
  const copy = { position: { topic, partition, offset }, recordedAtMs, hash }
  if (draft.copy === null) draft.copy = copy
  else draft.moreCopies = added(draft.moreCopies, copy)
}

function hopAfter({ inputs }: Fact): number | null {
  if (inputs.length === 0) return null
  let hop = -Infinity
  for (const input of inputs) hop = Math.max(hop, input.hop)
  return 1 + hop
}

function smaller(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return a < b ? a : b
}
