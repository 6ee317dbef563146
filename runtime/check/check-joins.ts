/** Joins that can never fire: their topics do not descend from one first event, or are alternatives, or leave the log too early. */
import { outputsOf } from '../../contracts/agent-shape.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import { finding, warning, type CheckedAgent, type Finding } from './finding.ts'

/** Members that leave the log while others may still come. */
export function checkJoinRetention(checked: readonly CheckedAgent[], contracts: ContractSet): readonly Finding[] {
  return joinsOf(checked).flatMap(({ agent: { name: agent, topics, joinWithinMs: withinMs }, file }) =>
    topics.flatMap((topic) => {
      const retentionMs = contracts.topics.get(topic)?.retentionMs ?? -1
      if (retentionMs === -1 || retentionMs >= withinMs) return []
      return [finding(file, 'LABAN_CHECK_JOIN_RETENTION', { agent, topic, withinMs, retentionMs })]
    }),
  )
}

/** Topics that cannot meet in one flow. Only means something when all agents are checked together. */
export function checkJoinMembers(checked: readonly CheckedAgent[], contracts: ContractSet): readonly Finding[] {
  const produced = new Set(checked.flatMap(({ agent }) => outputsOf(agent)))
  const consumed = new Set(checked.flatMap(({ agent }) => agent.topics))
  // What nobody produces begins flows, marked or not; that it should be marked is another finding.
  const entries = [...consumed].filter((topic) => !produced.has(topic) || contracts.topics.get(topic)?.isEntry === true)
  const reach = new Map(entries.map((entry) => [entry, reachableFrom(entry, checked)]))
  return joinsOf(checked).flatMap((join) => {
    const either = eitherOr(join, checked)
    return either === undefined ? apart(join, reach) : [either]
  })
}

function joinsOf(checked: readonly CheckedAgent[]): readonly CheckedAgent[] {
  return checked.filter(({ agent }) => agent.isJoin)
}

/** Topics that a flow which begins with this one may come to; a join lets it on only when all its topics are among them. */
function reachableFrom(entry: string, checked: readonly CheckedAgent[]): ReadonlySet<string> {
  const reached = new Set([entry])
  for (let before = 0; before < reached.size;) {
    before = reached.size
    for (const { agent } of checked) {
      const fires = agent.isJoin
        ? agent.topics.every((topic) => reached.has(topic))
        : agent.topics.some((topic) => reached.has(topic))
      if (fires) for (const topic of outputsOf(agent)) reached.add(topic)
    }
  }
  return reached
}

function apart({ agent, file }: CheckedAgent, reach: ReadonlyMap<string, ReadonlySet<string>>): readonly Finding[] {
  const best = [...reach]
    .map(([entry, reached]) => ({ entry, missing: agent.topics.filter((topic) => !reached.has(topic)) }))
    .sort((a, b) => a.missing.length - b.missing.length)[0]
  if (best?.missing.length === 0) return []
  const problem =
    best === undefined || best.missing.length === agent.topics.length
      ? 'no topic that flows begin with leads to any of them'
      : `a flow that begins with ${best.entry} never comes to ${best.missing.join(', ')}`
  return [finding(file, 'LABAN_CHECK_JOIN_APART', { agent: agent.name, topics: agent.topics.join(' + '), problem })]
}

/** Two members that only one agent produces, as alternatives. A flow that it handles several times could still have both. */
function eitherOr({ agent, file }: CheckedAgent, checked: readonly CheckedAgent[]): Finding | undefined {
  for (const { agent: producer } of checked) {
    const own = agent.topics.filter(
      (topic) => producer.oneOf.includes(topic) && isOnlyProducer(producer, topic, checked),
    )
    if (own.length < 2) continue
    const details = { agent: agent.name, topics: own.join(' + '), producer: producer.name }
    return warning(file, 'LABAN_CHECK_JOIN_EITHER', details)
  }
  return undefined
}

function isOnlyProducer(producer: CheckedAgent['agent'], topic: string, checked: readonly CheckedAgent[]): boolean {
  return checked.every(({ agent }) => agent === producer || !outputsOf(agent).includes(topic))
}
