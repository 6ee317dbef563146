/** I2: all records with one event id have one content, wherever they lie; and all facts of one handling name the same outputs. */
import { textOfPlace, type History, type LogEvent, type Violation } from '../history.ts'

export function oneContent({ events, handedOver, facts }: History): Violation[] {
  const firsts = new Map<string, LogEvent>()
  const wrong: Violation[] = []
  for (const event of [...events, ...handedOver]) {
    const first = firsts.get(event.id)
    if (first === undefined) firsts.set(event.id, event)
    else if (first.content !== event.content)
      wrong.push({
        rule: 'I2',
        kind: 'doubled',
        problem: `${event.id} has two contents: ${textOfPlace(first)} and ${textOfPlace(event)}`,
      })
  }
  const told = new Map<string, string>()
  for (const { agent, outcome, handlingId, outputs } of facts) {
    if (outcome !== 'completed') continue
    const name = `${agent} ${handlingId}`
    const said = outputs.toSorted().join(' ')
    const before = told.get(name)
    if (before === undefined) told.set(name, said)
    else if (before !== said)
      wrong.push({ rule: 'I2', kind: 'doubled', problem: `${name} has led to [${before}] and to [${said}]` })
  }
  return wrong
}
