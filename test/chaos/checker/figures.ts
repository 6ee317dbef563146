/** What a run came to, counted from the same history that is judged: events, outcomes, repeated work, and how long the dead were missed. */
import { firstOfEachId, type Death, type History, type LogFact, type OutsideCall } from './history.ts'

/** See the file's head. */
export interface Figures {
  readonly events: number
  /** Records that hold an event once more, with the same content. */
  readonly repeatedRecords: number
  /** Facts by outcome; `duplicate` are deliveries that were skipped. */
  readonly outcomes: ReadonlyMap<string, number>
  /** Handlers that the outside world has seen beginning, and how many events they were for. */
  readonly begins: number
  readonly begun: number
  /** Calls by step, how many of them were repetitions, and how many of these took effect. */
  readonly steps: ReadonlyMap<string, { readonly calls: number; readonly repeated: number; readonly applied: number }>
  /** From each kill to the next sign of each handling that it had interrupted, ascending; those apart that a server's absence fell into. */
  readonly takeoversMs: readonly number[]
  readonly hinderedTakeoversMs: readonly number[]
}

/** What was done to the processes and the servers. */
export interface Disturbances {
  readonly kills: readonly Death[]
  /** Times in which a server did not answer. */
  readonly outages: readonly TimeSpan[]
}

/** Epoch milliseconds. */
export interface TimeSpan {
  readonly fromMs: number
  readonly untilMs: number
}

/** Counts. */
export function figuresOf(history: History, { kills, outages }: Disturbances): Figures {
  const { events, facts, calls } = history
  const takeovers = takeoversOf(calls, facts, kills)
  const isHindered = ({ fromMs, untilMs }: TimeSpan): boolean =>
    outages.some((outage) => outage.fromMs < untilMs && outage.untilMs > fromMs)
  const begins = calls.filter(({ what }) => what === 'begin')
  const steps = Map.groupBy(
    calls.filter(({ what }) => what !== 'begin'),
    ({ what }) => what,
  )
  return {
    events: firstOfEachId(events).length,
    repeatedRecords: events.length - firstOfEachId(events).length,
    outcomes: countBy(facts, ({ outcome }) => outcome),
    begins: begins.length,
    begun: new Set(begins.map(({ eventId }) => eventId)).size,
    steps: new Map([...steps].map(([name, list]) => [name, stepFigures(list)])),
    takeoversMs: lengths(takeovers.filter((takeover) => !isHindered(takeover))),
    hinderedTakeoversMs: lengths(takeovers.filter(isHindered)),
  }
}

function stepFigures(calls: readonly OutsideCall[]): { calls: number; repeated: number; applied: number } {
  const events = new Set(calls.map(({ eventId }) => eventId)).size
  const applied = calls.filter(({ isApplied }) => isApplied).length
  return { calls: calls.length, repeated: calls.length - events, applied }
}

function countBy<T>(list: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const item of list) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1)
  return counts
}

/** An event was in the hands of the dead if they gave its last sign before the kill and no fact had said that they were through with it. */
function takeoversOf(calls: readonly OutsideCall[], facts: readonly LogFact[], kills: readonly Death[]): TimeSpan[] {
  const factsOf = Map.groupBy(facts, ({ handlingId }) => handlingId)
  const callsOf = Map.groupBy(calls, ({ eventId }) => eventId)
  return kills.flatMap(({ pid, atMs }) => {
    const held = new Set(calls.filter((call) => call.pid === pid).map(({ eventId }) => eventId))
    return [...held].flatMap((eventId) => {
      const ofEvent = callsOf.get(eventId) ?? []
      const last = ofEvent.findLast((call) => call.atMs <= atMs)
      if (last?.pid !== pid) return []
      // Facts of the calls' agent only: others handle other events.
      const ends = (factsOf.get(eventId) ?? []).filter(
        ({ outcome }) => outcome !== 'started' && outcome !== 'published',
      )
      if (ends.some((fact) => fact.atMs >= last.atMs && fact.atMs <= atMs)) return []
      const signs = [...ofEvent, ...ends].map((sign) => sign.atMs).filter((signMs) => signMs > atMs)
      return signs.length === 0 ? [] : [{ fromMs: atMs, untilMs: Math.min(...signs) }]
    })
  })
}

function lengths(times: readonly TimeSpan[]): number[] {
  return times.map(({ fromMs, untilMs }) => untilMs - fromMs).toSorted((left, right) => left - right)
}
