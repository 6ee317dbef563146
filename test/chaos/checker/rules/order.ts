/**
 * I3: handlings of one key complete in offset order. Seen in one place: an output that has the key of its input lies in the
 * partition of that key, so the first records of the outputs must follow each other as their inputs do.
 */
import {
  firstOfEachId,
  textOfPlace,
  type Choreography,
  type History,
  type LogEvent,
  type Violation,
} from '../history.ts'

export function inOrder({ agents }: Choreography, { events }: History): Violation[] {
  const byOffset = events.toSorted((left, right) => left.offset - right.offset)
  const byTopic = Map.groupBy(firstOfEachId(byOffset), ({ topic }) => topic)
  return agents.flatMap(({ name, inOrder: pairs }) =>
    Object.entries(pairs).flatMap(([input, output]) =>
      overtaken(name, byTopic.get(input) ?? [], byTopic.get(output) ?? []),
    ),
  )
}

function overtaken(agent: string, inputs: readonly LogEvent[], outputs: readonly LogEvent[]): Violation[] {
  const outputOf = new Map(outputs.map((output) => [output.causes[0] ?? '', output]))
  const wrong: Violation[] = []
  for (const lane of Map.groupBy(inputs, ({ partition, key }) => `${partition} ${key}`).values()) {
    let last: LogEvent | undefined
    for (const input of lane) {
      const output = outputOf.get(input.id)
      if (output === undefined) continue
      if (last !== undefined && output.partition === last.partition && output.offset < last.offset) {
        const places = `${textOfPlace(output)} stands before ${textOfPlace(last)}`
        wrong.push({
          rule: 'I3',
          kind: 'wrong',
          problem: `${agent} passed over the event before ${textOfPlace(input)}: ${places}`,
        })
      } else last = output
    }
  }
  return wrong
}
