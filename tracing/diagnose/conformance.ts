/** What contracts and announcements promise, and a flow has not kept: who should have reacted or published, and who should not. */
import { outputsOf } from '../../contracts/agent-shape.ts'
import { durationText } from '../duration-text.ts'
import type { FlowEvent, FlowHandling } from '../flow-graph.ts'
import { withoutOutput } from './join.ts'
import { verdictOf, type Verdict } from './verdict.ts'
import { evidence, eventEvidence, listText } from './wording.ts'
import { placeOf, type World } from './world.ts'

/** Everything of the flow that breaks a promise, whether or not something stands still for it. */
export function conformanceVerdicts(world: World): readonly Verdict[] {
  const { events, handlings } = world.graph
  return [
    ...handlings.flatMap((handling) => missingOutputs(world, handling)),
    ...events.flatMap((event) => unexpectedProducer(world, event)),
    ...lostEvents(world),
    ...conflicts(world),
    ...cycles(world),
    ...unheard(world),
  ]
}

function missingOutputs(world: World, handling: FlowHandling): readonly Verdict[] {
  if (handling.outcome !== 'completed' || handling.inferred) return []
  const manifest = world.newest(handling.agent)
  // Another version may have promised something else.
  if (manifest === undefined || manifest.version !== handling.agentVersion) return []
  const published = new Set(handling.outputs.flatMap((id) => world.event(id)?.topic ?? []))
  return manifest.always.filter((topic) => !published.has(topic)).map((topic) => withoutOutput(world, handling, topic))
}

function unexpectedProducer(world: World, event: FlowEvent): readonly Verdict[] {
  const { publishedBy, source, topic } = event
  const manifest = source === null || publishedBy === null ? undefined : world.newest(source)
  if (manifest === undefined || source === null || outputsOf(manifest).includes(topic)) return []
  return [
    verdictOf({
      code: 'unexpected-producer',
      subject: { flowId: world.graph.flowId, eventId: event.id, agent: source, topic },
      sentence: `${source} has published ${topic}, which it does not announce`,
      evidence: [
        evidence('announced', outputsOf(manifest).join(', ') || 'nothing', 'laban.agents'),
        eventEvidence(event, world.seen.nowMs),
      ],
      next: 'laban agents --json',
      sinceMs: event.recordedAtMs,
    }),
  ]
}

/** Claimed by a fact, not met on its topic, and somebody still owes it an end. */
function lostEvents(world: World): readonly Verdict[] {
  const { completeness, flowId } = world.graph
  return completeness.unpublished.flatMap((id) => {
    const event = world.event(id)
    if (event === undefined || event.awaiting.length === 0 || event.position === null) return []
    const { topic, partition, offset } = event.position
    const start = world.seen.logStarts.get(`${topic}/${partition}`)
    const isGone = start !== undefined && offset < start
    return [
      verdictOf({
        code: 'event-lost',
        subject: { flowId, eventId: id, topic },
        sentence: `${topic} ${isGone ? 'was removed from the log before' : 'is not on the log, and'} ${listText(event.awaiting)} ${isGone ? 'handled it' : 'waits for it'}`,
        evidence: [
          evidence('published', `${placeOf(event)} by ${event.source ?? 'unknown'}`, 'laban.facts'),
          evidence('log start', start ?? 'unknown', `${topic}/${partition}`),
        ],
        next: `laban flow ${flowId} --from-log`,
        sinceMs: event.recordedAtMs,
      }),
    ]
  })
}

function conflicts(world: World): readonly Verdict[] {
  const { completeness, flowId } = world.graph
  return completeness.idConflicts.map(({ eventId, positions }) =>
    verdictOf({
      code: 'id-conflict',
      subject: { flowId, eventId },
      sentence: `${positions.length} records carry the id ${eventId} and differ`,
      evidence: positions.map((at) => evidence('record', `${at.topic}/${at.partition}@${at.offset}`, at.topic)),
      next: `laban flow ${flowId} --from-log`,
    }),
  )
}

/** An agent that met its own descendants so often does not do so on purpose. */
const MOST_TURNS = 3

function cycles(world: World): readonly Verdict[] {
  const turns = new Map<string, number>()
  const deepest = new Map<string, { readonly turns: number; readonly chain: readonly string[] }>()
  for (const handling of world.graph.handlings) {
    const chain = chainOf(world, handling)
    const own = chain.filter((agent) => agent === handling.agent).length
    turns.set(handling.agent, Math.max(turns.get(handling.agent) ?? 0, own))
    if (own > (deepest.get(handling.agent)?.turns ?? 0)) deepest.set(handling.agent, { turns: own, chain })
  }
  const [first] = [...deepest]
    .filter(([, { turns: own }]) => own > MOST_TURNS)
    .sort(([, a], [, b]) => b.turns - a.turns)
  if (first === undefined) return []
  const [agent, { turns: own, chain }] = first
  const loop = chain.slice(0, chain.indexOf(agent, 1) + 1).reverse()
  return [
    verdictOf({
      code: 'cycle',
      subject: { flowId: world.graph.flowId, agent },
      sentence: `${agent} has handled what descends from its own output ${own - 1} times: ${loop.join(' → ')}`,
      evidence: [evidence('turns', own, 'laban.facts'), evidence('events', world.graph.events.length, 'laban.facts')],
      next: `laban flow ${world.graph.flowId}`,
      sinceMs: world.graph.startedAtMs,
    }),
  ]
}

const LONGEST_CHAIN = 200

/** The agents from this handling back to the first event, its own first. */
function chainOf(world: World, handling: FlowHandling): readonly string[] {
  const chain: string[] = []
  const met = new Set<string>()
  let at: FlowHandling | undefined = handling
  while (at !== undefined && !met.has(at.key) && chain.length < LONGEST_CHAIN) {
    met.add(at.key)
    chain.push(at.agent)
    const publishedBy: string | null | undefined = at.inputs.map((id) => world.event(id)?.publishedBy).find(Boolean)
    at = publishedBy === undefined || publishedBy === null ? undefined : world.handling(publishedBy)
  }
  return chain
}

/** First events that nobody was sent. */
function unheard(world: World): readonly Verdict[] {
  const { graph, subscriptions, seen } = world
  return graph.events.flatMap((event) => {
    const isFirst = event.hop === 0 || event.causes.length === 0
    if (!isFirst || event.topic === '' || graph.handlings.some(({ inputs }) => inputs.includes(event.id))) return []
    const subscribers = subscriptions.to(event.topic, null).map(({ agent }) => agent)
    const subject = { flowId: graph.flowId, eventId: event.id, topic: event.topic }
    const shown = [eventEvidence(event, seen.nowMs)]
    if (subscribers.length === 0) {
      return [
        verdictOf({
          code: 'no-subscriber',
          subject,
          sentence: `No agent subscribes to ${event.topic}`,
          evidence: [...shown, evidence('subscribers', 'none announced', 'laban.agents')],
          next: 'laban agents --all',
          sinceMs: event.recordedAtMs,
        }),
      ]
    }
    const begins = subscribers.flatMap((agent) => beginText(world, agent, event))
    return [
      verdictOf({
        code: 'before-subscription',
        subject,
        sentence: `${placeOf(event)} is older than the subscription of ${listText(subscribers)}, so nobody was sent it`,
        evidence: [...shown, ...begins.map((text) => evidence('subscription', text, 'laban.agents'))],
        next: `laban agent reset ${subscribers[0] ?? ''} --help`,
        sinceMs: event.recordedAtMs,
      }),
    ]
  })
}

function beginText(world: World, agent: string, event: FlowEvent): readonly string[] {
  if (event.position === null) return []
  const place = `${event.topic}/${event.position.partition}`
  const begins = world.instances(agent).flatMap(({ manifest }) => manifest.subscribedFrom[place] ?? [])
  return begins.length === 0 ? [] : [`${agent} began at ${place}@${Math.min(...begins)}`]
}

/** Reactions that have not come within the time that the contract of their topic expects. */
export function lateVerdict(world: World, handling: FlowHandling, cause: Verdict): Verdict | undefined {
  const event = world.inputOf(handling)
  const withinMs = event === undefined ? undefined : world.seen.expectedWithinMs.get(event.topic)
  const recordedAtMs = event === undefined ? null : world.recordedAt(event)
  if (event === undefined || withinMs === undefined || recordedAtMs === null) return undefined
  const ageMs = world.seen.nowMs - recordedAtMs
  if (ageMs <= withinMs) return undefined
  return verdictOf({
    code: 'late',
    subject: { flowId: world.graph.flowId, agent: handling.agent, eventId: event.id, topic: event.topic },
    sentence: `${handling.agent} has not reacted to ${event.topic} for ${durationText(ageMs)}; its contract expects that within ${durationText(withinMs)}`,
    evidence: [
      evidence('expected within', durationText(withinMs), `contract of ${event.topic}`),
      eventEvidence(event, world.seen.nowMs),
    ],
    next: cause.next,
    causes: [cause],
    sinceMs: recordedAtMs + withinMs,
  })
}
