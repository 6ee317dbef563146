/** Collects what facts and records say about events. Every merge is order-free: the same findings in any order give the same events. */
import type { Envelope } from '../contracts/envelope.ts'
import type { Fact } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import type { LogPosition } from './flow-graph.ts'

/** An event as it was met on its topic: headers only, the value is not needed. */
export interface SeenEvent {
  readonly envelope: Envelope
  readonly position: LogPosition
  readonly recordedAtMs: number
  /** Record key where it is not the flow id. */
  readonly key: string | null
}

/** One record of an event. */
export interface EventCopy {
  readonly position: LogPosition
  readonly recordedAtMs: number | null
  /** Content hash; '' when unknown. */
  readonly hash: string
}

/** An event under construction. */
export interface EventDraft {
  readonly id: Uuid
  topic: string
  key: string | null
  hop: number | null
  source: string | null
  causes: readonly Uuid[]
  publishedBy: string | null
  /** Some fact names it. */
  inFacts: boolean
  /** It was met on its topic. */
  seen: boolean
  /** Records of it, each place once; nearly always one. */
  readonly copies: EventCopy[]
}

/** The text form of a position, as dead letters and messages name it. */
export function positionText({ topic, partition, offset }: LogPosition): string {
  return `${topic}/${partition}@${offset}`
}

/** See the file's head. */
export class EventDrafts {
  readonly byId = new Map<Uuid, EventDraft>()

  /** The draft of an event; made when it is new. */
  get(id: Uuid): EventDraft {
    let draft = this.byId.get(id)
    if (draft === undefined) {
      draft = {
        id,
        topic: '',
        key: null,
        hop: null,
        source: null,
        causes: [],
        publishedBy: null,
        inFacts: false,
        seen: false,
        copies: [],
      }
      this.byId.set(id, draft)
    }
    return draft
  }

  /** Inputs and outputs of a fact. `handlingKey` is null for the `published` fact of a first event. */
  addFact(fact: Fact, handlingKey: string | null): void {
    for (const input of fact.inputs) {
      const draft = this.get(input.eventId)
      describe(draft, input)
      addCopy(draft, { position: placeOf(input), recordedAtMs: input.recordedAtMs, hash: '' })
    }
    const causes = fact.inputs.map((input) => input.eventId)
    const hop = handlingKey === null ? 0 : hopAfter(fact)
    for (const output of fact.outputs) {
      const draft = this.get(output.eventId)
      describe(draft, { topic: output.topic, key: output.key, hop, source: fact.agent, causes })
      draft.publishedBy = smaller(draft.publishedBy, handlingKey)
      if (output.offset >= 0) addCopy(draft, { position: placeOf(output), recordedAtMs: null, hash: output.hash })
    }
  }

  /** A record met on its topic. */
  addSeen({ envelope, position, recordedAtMs, key }: SeenEvent): void {
    const draft = this.get(envelope.id)
    const { inFacts } = draft
    describe(draft, { topic: position.topic, key, hop: envelope.hop, source: envelope.source, causes: envelope.causes })
    draft.inFacts = inFacts
    draft.seen = true
    addCopy(draft, { position, recordedAtMs, hash: envelope.contentHash ?? '' })
  }
}

/** The lowest position of an event in log order: where its identity was first put on the log. */
export function firstPosition(event: EventDraft): LogPosition | null {
  let first: LogPosition | undefined
  for (const { position } of event.copies) {
    if (first === undefined || comparePositions(position, first) < 0) first = position
  }
  return first ?? null
}

/** Positions in log order. */
export function sortPositions(positions: readonly LogPosition[]): LogPosition[] {
  return [...positions].sort(comparePositions)
}

function comparePositions(a: LogPosition, b: LogPosition): number {
  return (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0) || a.partition - b.partition || a.offset - b.offset
}

type Description = Pick<EventDraft, 'topic' | 'key' | 'hop' | 'source' | 'causes'>

function describe(draft: EventDraft, found: Description): void {
  draft.inFacts = true
  draft.topic = draft.topic === '' ? found.topic : (smaller(draft.topic, found.topic) ?? '')
  draft.key = smaller(draft.key, found.key)
  draft.hop = draft.hop === null || (found.hop !== null && found.hop < draft.hop) ? found.hop : draft.hop
  draft.source = smaller(draft.source, found.source)
  // A join's output names all its causes; a fact that knows fewer of them adds nothing.
  if (found.causes.every((cause) => draft.causes.includes(cause))) return
  draft.causes = [...new Set([...draft.causes, ...found.causes])].sort()
}

/** The same position told twice is one record; whoever knows more about it wins. */
function addCopy(draft: EventDraft, copy: EventCopy): void {
  const at = draft.copies.findIndex(({ position }) => comparePositions(position, copy.position) === 0)
  const known = draft.copies[at]
  if (known === undefined) draft.copies.push(copy)
  else {
    draft.copies[at] = {
      position: copy.position,
      recordedAtMs: largest(known.recordedAtMs, copy.recordedAtMs),
      hash: copy.hash > known.hash ? copy.hash : known.hash,
    }
  }
}

function hopAfter(fact: Fact): number | null {
  return fact.inputs.length === 0 ? null : 1 + Math.max(...fact.inputs.map((input) => input.hop))
}

function placeOf({ topic, partition, offset }: LogPosition): LogPosition {
  return { topic, partition, offset }
}

function smaller(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return a < b ? a : b
}

function largest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b)
}
