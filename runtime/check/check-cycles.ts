/**
 * Agents that answer each other in a circle. A circle in which everybody always goes on never ends and is an error; one with a way
 * out may be meant. A join fires once in a flow, so no circle goes through it twice.
 */
import { outputsOf } from '../../contracts/agent-shape.ts'
import { finding, warning, type CheckedAgent, type Finding } from './finding.ts'

/** See the file's head. One finding for each group of agents that are in circles with each other. */
export function checkCycles(checked: readonly CheckedAgent[]): readonly Finding[] {
  const endless = circlesOf(checked, goesOnAlways)
  const reported = new Set(endless.flatMap((steps) => steps.map((step) => step.from.agent.name)))
  const other = circlesOf(checked, mayGoOn).filter((steps) => !steps.some((step) => reported.has(step.from.agent.name)))
  return [
    ...endless.map((steps) =>
      report(steps, (file, topic, cycle) => finding(file, 'LABAN_CHECK_ENDLESS', { topic, cycle })),
    ),
    ...other.map((steps) => report(steps, (file, _topic, cycle) => warning(file, 'LABAN_CHECK_CYCLE', { cycle }))),
  ]
}

/** One agent says something that the next reacts to. */
interface Step {
  readonly from: CheckedAgent
  readonly topic: string
}

type Goes = (from: CheckedAgent['agent'], topic: string, to: CheckedAgent['agent']) => boolean

const goesOnAlways: Goes = (from, topic, to) => {
  return from.always.includes(topic) && !from.isJoin && !to.isJoin && !(topic in to.accepts)
}

const mayGoOn: Goes = (from, topic, to) => outputsOf(from).includes(topic) && !from.isJoin && !to.isJoin

function report(steps: readonly Step[], make: (file: string, topic: string, cycle: string) => Finding): Finding {
  const [first] = steps
  const way = steps.map(({ from, topic }) => `${from.agent.name} → ${topic}`)
  return make(first?.from.file ?? '', steps.at(-1)?.topic ?? '', [...way, first?.from.agent.name ?? ''].join(' → '))
}

/** The shortest circle through each agent that is not in one reported before. */
function circlesOf(checked: readonly CheckedAgent[], goes: Goes): readonly (readonly Step[])[] {
  const found: (readonly Step[])[] = []
  const inCircle = new Set<string>()
  for (const start of checked) {
    if (inCircle.has(start.agent.name)) continue
    const circle = shortestCircle(start, checked, goes)
    if (circle === undefined) continue
    for (const { from } of circle) inCircle.add(from.agent.name)
    found.push(circle)
  }
  return found
}

function shortestCircle(
  start: CheckedAgent,
  checked: readonly CheckedAgent[],
  goes: Goes,
): readonly Step[] | undefined {
  const ways: { readonly at: CheckedAgent; readonly steps: readonly Step[] }[] = [{ at: start, steps: [] }]
  const seen = new Set<CheckedAgent>()
  for (const { at, steps } of ways) {
    for (const next of checked) {
      const topic = next.agent.topics.find((name) => goes(at.agent, name, next.agent))
      if (topic === undefined) continue
      const further = [...steps, { from: at, topic }]
      if (next === start) return further
      if (!seen.has(next)) ways.push({ at: next, steps: further })
      seen.add(next)
    }
  }
  return undefined
}
