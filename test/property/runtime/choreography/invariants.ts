/** The invariants of the protocol, judged from the log alone. Each function answers with what is wrong; nothing is good. */
import type { Fact } from '../../../../contracts/fact.ts'
import { decodeOffsetMap } from '../../../../runtime/consume/offset-map.ts'
import { AGENTS, EVENT_TOPICS, type Remains } from './chaos-run.ts'

const READERS: Readonly<Record<(typeof AGENTS)[number], readonly string[]>> = {
  'test.a': ['test.in'],
  'test.b': ['test.in'],
  'test.join': ['test.left', 'test.right'],
  'test.sink': ['test.out'],
}
/** Facts after which an input is finished. */
const ENDS: ReadonlySet<Fact['outcome']> = new Set(['completed', 'duplicate', 'waiting', 'late', 'dead-lettered'])

/** I1: every event has ended at every agent that reads it, and every flow has come through. */
export function unaccounted({ flows, events, facts }: Remains): string[] {
  const wrong: string[] = []
  for (const agent of AGENTS) {
    const ended = new Set(facts.filter((fact) => fact.agent === agent && ENDS.has(fact.outcome)).flatMap(inputIds))
    for (const topic of READERS[agent]) {
      for (const { envelope } of events.get(topic) ?? [])
        if (!ended.has(envelope.id)) wrong.push(`I1: ${agent} never ended ${topic} ${envelope.id}`)
    }
    for (const flow of flows) {
      const isDone = facts.some((fact) => fact.agent === agent && fact.outcome === 'completed' && fact.flowId === flow)
      if (!isDone) wrong.push(`I1: ${agent} completed nothing in flow ${flow}`)
    }
  }
  return wrong
}

/** I2: records with one id have one content. */
export function twofold({ events }: Remains): string[] {
  const wrong: string[] = []
  for (const topic of EVENT_TOPICS) {
    const contents = new Map<string, string>()
    for (const { envelope, value, headers } of events.get(topic) ?? []) {
      const ce = Object.keys(headers)
        .filter((name) => name.startsWith('ce_'))
        .sort()
      const content = [value?.toString('hex'), ...ce.map((name) => `${name}=${String(headers[name])}`)].join('\n')
      const first = contents.get(envelope.id) ?? content
      contents.set(envelope.id, first)
      if (content !== first) wrong.push(`I2: ${topic} ${envelope.id} has two contents:\n${first}\n${content}`)
    }
  }
  return wrong
}

/** I3: per agent and key, first completions come in offset order. */
export function disordered({ facts, events }: Remains): string[] {
  const wrong: string[] = []
  const keys = new Map((events.get('test.in') ?? []).map((event) => [`${event.partition}@${event.offset}`, event.key]))
  for (const agent of ['test.a', 'test.b']) {
    const last = new Map<string, number>()
    const seen = new Set<string>()
    for (const fact of facts) {
      const [input] = fact.inputs
      if (fact.agent !== agent || fact.outcome !== 'completed' || input === undefined || seen.has(input.eventId))
        continue
      seen.add(input.eventId)
      const lane = `${input.partition} ${keys.get(`${input.partition}@${input.offset}`)}`
      const before = last.get(lane) ?? -1
      if (input.offset < before) wrong.push(`I3: ${agent} completed ${lane} offset ${input.offset} after ${before}`)
      last.set(lane, Math.max(before, input.offset))
    }
  }
  return wrong
}

/** I5: a join fires once per flow, with one set of members. */
export function joinedTwice({ events, facts }: Remains): string[] {
  const wrong: string[] = []
  const outs = new Map<string, string>()
  for (const { envelope } of events.get('test.out') ?? []) {
    const said = `${envelope.id} of ${[...envelope.causes].sort().join()}`
    const first = outs.get(envelope.flowId) ?? said
    outs.set(envelope.flowId, first)
    if (said !== first) wrong.push(`I5: flow ${envelope.flowId} was joined as ${first} and as ${said}`)
  }
  const members = new Map<string, string>()
  for (const fact of facts) {
    if (fact.agent !== 'test.join' || fact.outcome !== 'completed') continue
    const said = inputIds(fact).sort().join()
    const first = members.get(fact.handlingId) ?? said
    members.set(fact.handlingId, first)
    if (said !== first) wrong.push(`I5: join ${fact.handlingId} had the members ${first} and ${said}`)
  }
  return wrong
}

/** I8: no commit passes over a record whose end was not on the log by then. */
export function dishonest({ events, facts, commits }: Remains): string[] {
  const wrong: string[] = []
  for (const agent of AGENTS) {
    const endedAt = new Map<string, number>()
    facts.forEach((fact, index) => {
      if (fact.agent !== agent || !ENDS.has(fact.outcome)) return
      for (const id of inputIds(fact)) if (!endedAt.has(id)) endedAt.set(id, index)
    })
    for (const { commit, facts: known } of commits.filter((entry) => entry.agent === agent)) {
      const map = decodeOffsetMap(commit.metadata, commit.offset)
      for (const { partition, offset, envelope } of events.get(commit.topic) ?? []) {
        if (partition !== commit.partition || (offset >= commit.offset && map?.has(offset) !== true)) continue
        if ((endedAt.get(envelope.id) ?? Infinity) >= known)
          wrong.push(`I8: ${agent} committed ${commit.topic}/${partition}@${commit.offset} before ${offset} had ended`)
      }
    }
  }
  return wrong
}

function inputIds(fact: Fact): string[] {
  return fact.inputs.map((input) => input.eventId)
}
