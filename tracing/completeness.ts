/** Says in numbers whether a graph is all there is, and in sentences what could not be found out. */
import type { Fact } from '../contracts/fact.ts'
import type { Uuid } from '../contracts/ids.ts'
import { positionText, sortPositions } from './event-drafts.ts'
import type { EventDraft } from './flow-drafts.ts'
import type { Completeness, FlowHandling, IdConflict } from './flow-graph.ts'

/** What completeness is judged by. */
export interface CompletenessInput {
  readonly events: readonly EventDraft[]
  readonly handlings: readonly FlowHandling[]
  readonly facts: readonly Fact[]
  /** True when the topics themselves were read. */
  readonly topicsRead: boolean
  /** False: nobody has announced anything, so who should react is unknown. */
  readonly subscriptionsKnown: boolean
  /** Facts that could not be decoded. */
  readonly unreadableFacts: number
  readonly reactions: { readonly expected: number; readonly ended: number }
}

/** See the file's head. */
export function judgeCompleteness(input: CompletenessInput): Completeness {
  const { events: drafts, reactions, topicsRead } = input
  const unpublished = topicsRead ? idsWhere(drafts, (event) => event.inFacts && !event.seen) : []
  const unaccounted = input.facts.length === 0 ? [] : idsWhere(drafts, (event) => event.seen && !event.inFacts)
  const idConflicts = drafts
    .filter((event) => event.moreCopies.length > 0)
    .flatMap(conflictOf)
    .sort((a, b) => (a.eventId < b.eventId ? -1 : 1))
  const unknown = unknowns(input)
  const amiss = unpublished.length + unaccounted.length + idConflicts.length + unknown.length
  return {
    complete: reactions.expected === reactions.ended && amiss === 0 && drafts.length > 0,
    events: drafts.length,
    eventsSeen: topicsRead ? drafts.filter((event) => event.seen).length : null,
    reactionsExpected: reactions.expected,
    reactionsEnded: reactions.ended,
    unpublished,
    unaccounted,
    idConflicts,
    unknown,
  }
}

function idsWhere(drafts: readonly EventDraft[], holds: (event: EventDraft) => boolean): readonly Uuid[] {
  return drafts
    .filter(holds)
    .map((event) => event.id)
    .sort()
}

/** The first record in log order counts; that others differ from it must be seen. */
function conflictOf(event: EventDraft): IdConflict[] {
  const copies = event.copies()
  const hashes = new Set(copies.map((copy) => copy.hash).filter((hash) => hash !== ''))
  if (hashes.size < 2) return []
  return [{ eventId: event.id, positions: sortPositions(copies.map((copy) => copy.position)) }]
}

function unknowns(input: CompletenessInput): string[] {
  const { events: drafts, facts, handlings, subscriptionsKnown, unreadableFacts } = input
  const unknown: string[] = []
  if (unreadableFacts > 0) unknown.push(`Facts of this flow that could not be decoded: ${unreadableFacts}.`)
  if (!subscriptionsKnown) unknown.push('No agent has announced itself, so who should react is not known.')
  if (facts.length === 0) unknown.push('There are no facts of this flow: what agents did is derived from events alone.')
  const unheard = handlings.filter((handling) => handling.inferred)
  if (unheard.length > 0) unknown.push(`No fact tells how ${list(unheard.map((handling) => handling.agent))} ended.`)
  const nameless = drafts.filter((event) => event.topic === '')
  if (nameless.length > 0)
    unknown.push(`Named as a cause, but never found: ${list(nameless.map((event) => event.id))}.`)
  if (drafts.length > 0 && !drafts.some((event) => event.hop === 0)) unknown.push('The first event was not found.')
  const lost = facts.filter((fact) => fact.outcome === 'lost')
  if (lost.length > 0) unknown.push(`${list(lost.map((fact) => fact.agent))} met a gap in the log.`)
  const conflicts = facts
    .filter((fact) => fact.outcome === 'id-conflict')
    .flatMap((fact) => fact.inputs.map(positionText))
  if (conflicts.length > 0) unknown.push(`Contents of one id differed at ${list(conflicts)}.`)
  return unknown
}

const MAX_LISTED = 5

function list(items: readonly string[]): string {
  const distinct = [...new Set(items)].sort()
  const more = distinct.length - MAX_LISTED
  return more > 0 ? `${distinct.slice(0, MAX_LISTED).join(', ')} and ${more} more` : distinct.join(', ')
}
