/**
 * I6: a durable step whose result is on the log never runs again; before that it runs once, and once more for each time its process was
 * interrupted in it; an effect's key never changes and takes effect once; later steps and outputs see one result of the earlier ones.
 */
import type { History, Interruption, LogResult, OutsideCall, Violation } from '../history.ts'

/** Result on the log and call in the world are stamped by two processes of one machine. */
const CLOCK_SLACK_MS = 50
/** A process that wakes up may send what it was about to send, before it hears that its work is somebody else's. */
const WAKING_MS = 5_000

export function stepsOnce(history: History): Violation[] {
  const results = new Map<string, LogResult>()
  for (const result of history.results) {
    const name = `${result.handlingId} ${result.step}`
    const known = results.get(name)
    if (known === undefined || result.atMs < known.atMs) results.set(name, result)
  }
  const calls = history.calls.filter(({ what }) => what !== 'begin').toSorted((left, right) => left.atMs - right.atMs)
  const byPid = Map.groupBy(history.interruptions, ({ pid }) => pid)
  return [...Map.groupBy(calls, ({ eventId, what }) => `${eventId} ${what}`)].flatMap(([name, list]) => [
    ...ranAfterItsResult(name, list, results.get(name), byPid),
    ...ranAgainUnexplained(name, list, byPid),
    ...differs(name, list),
  ])
}

function wrong(problem: string): Violation {
  return { rule: 'I6', kind: 'wrong', problem }
}

function doubled(problem: string): Violation {
  return { rule: 'I6', kind: 'doubled', problem }
}

type Interruptions = ReadonlyMap<number, readonly Interruption[]>

function ranAfterItsResult(
  name: string,
  calls: readonly OutsideCall[],
  result: LogResult | undefined,
  interruptions: Interruptions,
): Violation[] {
  if (result === undefined) return [wrong(`${name} was called, and its result is not in the journal`)]
  return calls
    .filter((call) => call.atMs > result.atMs + CLOCK_SLACK_MS && !isWaking(call, interruptions))
    .map(({ pid, atMs }) =>
      doubled(`${name} ran again in ${pid}, ${atMs - result.atMs} ms after its result was recorded`),
    )
}

function ranAgainUnexplained(name: string, calls: readonly OutsideCall[], interruptions: Interruptions): Violation[] {
  return calls.slice(1).flatMap((call, index) => {
    const before = calls[index]
    if (before === undefined || isWaking(call, interruptions)) return []
    const isExplained = (interruptions.get(before.pid) ?? []).some(
      ({ fromMs, untilMs }) => fromMs <= call.atMs && untilMs >= before.atMs,
    )
    return isExplained
      ? []
      : [doubled(`${name} ran in ${call.pid} although ${before.pid} had it and was not interrupted`)]
  })
}

function isWaking({ pid, atMs }: OutsideCall, interruptions: Interruptions): boolean {
  return (interruptions.get(pid) ?? []).some(({ untilMs }) => untilMs <= atMs && untilMs > atMs - WAKING_MS)
}

function differs(name: string, calls: readonly OutsideCall[]): Violation[] {
  const keys = new Set(calls.map(({ key }) => key))
  const told = new Set(calls.map((call) => call.told))
  const applied = calls.filter(({ isApplied }) => isApplied).length
  const isEffect = !keys.has('')
  return [
    ...(keys.size > 1 ? [wrong(`${name} was called with ${keys.size} keys`)] : []),
    ...(told.size > 1 ? [wrong(`${name} was told ${told.size} different results of the steps before it`)] : []),
    ...(isEffect && applied !== 1 ? [doubled(`${name} took effect ${applied} times`)] : []),
  ]
}
