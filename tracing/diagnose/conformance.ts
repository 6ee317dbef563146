/** What contracts and announcements promise, and a flow has not kept: who should have reacted or published, and who should not. */
import { outputsOf } from '../../contracts/agent-shape.ts'
import type { Uuid } from '../../contracts/ids.ts'
import { durationText } from '../duration-text.ts'
import type { FlowEvent, FlowHandling } from '../flow-graph.ts'
import { withoutOutput } from './join.ts'
import { verdictOf, type Verdict } from './verdict.ts'
import { evidence, eventEvidence, listText } from './wording.ts'
import { placeOf, type World } from './world.ts'

/** Everything of the flow that breaks a promise, whether or not something stands still for it. What breaks it again and again is told once: of the asked event, else of the first. */
export function conformanceVerdicts(world: World, asked?: Uuid): readonly Verdict[] {
  const { handlings } = world.graph
  return [
    ...handlings.flatMap((handling) => missingOutputs(world, handling)),
    ...unexpectedProducers(world, asked),
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
  if (manifest === undefined || manifest.version !== handling.agentVersion || manifest.always.length === 0) return []
  const published = new Set(handling.outputs.flatMap((id) => world.event(id)?.topic ?? []))
  return manifest.always.filter((topic) => !published.has(topic)).map((topic) => withoutOutput(world, handling, topic))
}

function unexpectedProducers(world: World, asked: Uuid | undefined): readonly Verdict[] {
  const unexpected = new Map<string, Map<string, FlowEvent[]>>()
  const announced = new Map<string, ReadonlySet<string> | undefined>()
  for (const event of world.graph.events) {
    const { publishedBy, source, topic } = event
    if (source === null || publishedBy === null) continue
    if (!announced.has(source)) announced.set(source, announcedBy(world, source))
    if (announced.get(source)?.has(topic) !== false) continue
    let byTopic = unexpected.get(source)
    if (byTopic === undefined) unexpected.set(source, (byTopic = new Map<string, FlowEvent[]>()))
    const events = byTopic.get(topic)
    if (events === undefined) byTopic.set(topic, [event])
    else events.push(event)
  }
  return [...unexpected.values()].flatMap((byTopic) =>
    [...byTopic.values()].flatMap((events) => unexpectedProducer(world, events, asked)),
  )
}

/** Of events of one topic by one agent. */
function unexpectedProducer(world: World, events: readonly FlowEvent[], asked: Uuid | undefined): readonly Verdict[] {
  const event = events.find(({ id }) => id === asked) ?? events[0]
  if (event === undefined || event.source === null) return []
  const { source, topic } = event
  const announced = [...(announcedBy(world, source) ?? [])].join(', ') || 'nothing'
  return [
    verdictOf({
      code: 'unexpected-producer',
      subject: { flowId: world.graph.flowId, eventId: event.id, agent: source, topic },
      sentence: `${source} has published ${topic}, which it does not announce`,
      evidence: [
        evidence('announced', announced, 'laban.agents'),
        eventEvidence(event, world.seen.nowMs),
        ...(events.length === 1 ? [] : [evidence('events like it', events.length - 1, 'laban.facts')]),
      ],
      next: 'laban agents --json',
      sinceMs: event.recordedAtMs,
    }),
  ]
}

function announcedBy(world: World, agent: string): ReadonlySet<string> | undefined {
  const manifest = world.newest(agent)
  return manifest === undefined ? undefined : new Set(outputsOf(manifest))
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
  const deepest = new Map<string, { readonly turns: number; readonly chain: readonly string[] }>()
  // Of agents that have turned as often, the one that began first is named.
  for (const { agent } of world.graph.handlings) if (!deepest.has(agent)) deepest.set(agent, { turns: 0, chain: [] })
  for (const handlings of longestChains(world)) {
    const chain = handlings.map(({ agent }) => agent)
    const [own = ''] = chain
    const turns = chain.filter((agent) => agent === own).length
    if (turns > (deepest.get(own)?.turns ?? 0)) deepest.set(own, { turns, chain })
  }
  const [first] = [...deepest].filter(([, { turns }]) => turns > MOST_TURNS).sort(([, a], [, b]) => b.turns - a.turns)
  if (first === undefined) return []
  const [agent, { turns, chain }] = first
  const loop = chain.slice(0, chain.indexOf(agent, 1) + 1).reverse()
  return [
    verdictOf({
      code: 'cycle',
      subject: { flowId: world.graph.flowId, agent },
      sentence: `${agent} has handled what descends from its own output ${turns - 1} times: ${loop.join(' → ')}`,
      evidence: [evidence('turns', turns, 'laban.facts'), evidence('events', world.graph.events.length, 'laban.facts')],
      next: `laban flow ${world.graph.flowId}`,
      sinceMs: world.graph.startedAtMs,
    }),
  ]
}

/** Of each agent that may have met its own descendants often, the chains that are no part of another one of it. */
function longestChains(world: World): readonly (readonly FlowHandling[])[] {
  const hops = new Map<string, Set<number | null>>()
  for (const { agent, hop } of world.graph.handlings) hops.set(agent, (hops.get(agent) ?? new Set()).add(hop))
  const passed = new Set<FlowHandling>()
  const chains: (readonly FlowHandling[])[] = []
  // Descendants stand behind what they descend from.
  for (const handling of world.graph.handlings.toReversed()) {
    if ((hops.get(handling.agent)?.size ?? 0) <= MOST_TURNS || passed.has(handling)) continue
    const chain = chainOf(world, handling)
    for (const above of chain) if (above.agent === handling.agent) passed.add(above)
    chains.push(chain)
  }
  return chains.reverse()
}

const LONGEST_CHAIN = 200

/** The handlings from this one back to the first event, itself first. */
function chainOf(world: World, handling: FlowHandling): readonly FlowHandling[] {
  const chain = new Set<FlowHandling>()
  let at: FlowHandling | undefined = handling
  while (at !== undefined && !chain.has(at) && chain.size < LONGEST_CHAIN) {
    chain.add(at)
    const publishedBy: string | null | undefined = at.inputs.map((id) => world.event(id)?.publishedBy).find(Boolean)
    at = publishedBy === undefined || publishedBy === null ? undefined : world.handling(publishedBy)
  }
  return [...chain]
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
