/** I8: no commit that was ever seen passes over a record whose end was not on the log by then, except those that it names as open. */
import {
  textOfPlace,
  type CheckedAgent,
  type Choreography,
  type History,
  type LogEvent,
  type OffsetSample,
  type Violation,
} from '../history.ts'

/** Facts after which a record may count as finished; one that was handed over is finished by the record it is handed over in. */
const FINISHES: ReadonlySet<string> = new Set([
  'completed',
  'rejected',
  'dead-lettered',
  'waiting',
  'late',
  'duplicate',
  'suspended',
  'cancelled',
])

export function honestOffsets({ agents }: Choreography, history: History): Violation[] {
  const byTopic = Map.groupBy(history.events, ({ topic }) => topic)
  return agents.flatMap((agent) => {
    const finishedAtMs = finishes(agent, history)
    const samples = history.samples.filter((sample) => sample.agent === agent.name)
    return [...Map.groupBy(samples, ({ topic, partition }) => `${topic} ${partition}`).values()].flatMap((list) =>
      passedOver(agent, list, byTopic.get(list[0]?.topic ?? '') ?? [], finishedAtMs),
    )
  })
}

function finishes(agent: CheckedAgent, { facts, handedOver }: History): ReadonlyMap<string, number> {
  const finishedAtMs = new Map<string, number>()
  const note = (id: string, atMs: number): void => {
    finishedAtMs.set(id, Math.min(finishedAtMs.get(id) ?? Infinity, atMs))
  }
  for (const fact of facts) {
    if (fact.agent === agent.name && FINISHES.has(fact.outcome)) for (const id of fact.inputs) note(id, fact.atMs)
  }
  for (const record of handedOver) if (record.agent === agent.name) note(record.id, record.atMs)
  return finishedAtMs
}

function passedOver(
  { name }: CheckedAgent,
  samples: readonly OffsetSample[],
  events: readonly LogEvent[],
  finishedAtMs: ReadonlyMap<string, number>,
): Violation[] {
  const partition = samples[0]?.partition
  let open = events.filter((event) => event.partition === partition)
  const wrong: Violation[] = []
  for (const sample of samples.toSorted((left, right) => left.seenAtMs - right.seenAtMs)) {
    const isFinished = readOffsetMap(sample)
    const passed = open.filter(({ offset }) => offset < sample.offset || isFinished(offset))
    for (const event of passed) {
      if ((finishedAtMs.get(event.id) ?? Infinity) > sample.seenAtMs)
        wrong.push({
          rule: 'I8',
          kind: 'lost',
          problem: `${name} committed ${textOfPlace(sample)} and had not ended ${textOfPlace(event)}`,
        })
    }
    // What was rightly passed over once stays so: a commit may go back after a rebalance.
    open = open.filter(({ offset }) => offset >= sample.offset && !isFinished(offset))
  }
  return wrong
}

/** `l1` and base64url of varint run lengths from the committed offset on: unfinished, finished, and so on. */
function readOffsetMap({ offset, metadata }: OffsetSample): (offset: number) => boolean {
  const finished: (readonly [number, number])[] = []
  let at = offset
  let length = 0
  let shift = 0
  let isOpenRun = true
  for (const byte of metadata.startsWith('l1') ? Buffer.from(metadata.slice(2), 'base64url') : []) {
    length += (byte & 127) * 2 ** shift
    shift += 7
    if (byte > 127) continue
    if (!isOpenRun) finished.push([at, at + length])
    at += length
    isOpenRun = !isOpenRun
    length = shift = 0
  }
  return (asked) => finished.some(([from, to]) => asked >= from && asked < to)
}
