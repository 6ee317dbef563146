/**
 * Fills in what `diagnose` judges a flow by. Looks at no more than the open handlings of the flow need: a flow that has ended costs
 * one look at the dead letters of those that failed.
 */
import { decodeEntry } from '../journal/entry-format.ts'
import type {
  AgentSeen,
  ClaimSeen,
  HandlingSeen,
  LeaseSeen,
  Observations,
  StepSeen,
} from '../../tracing/diagnose/observations.ts'
import { outputsOf } from '../../contracts/agent-shape.ts'
import type { FlowEvent, FlowGraph, FlowHandling } from '../../tracing/flow-graph.ts'
import { isFinishedAt, type Lookout } from './lookout.ts'
import { findPredecessor, runningAhead } from './predecessor.ts'
import { claimSeen, deadLetterSeen } from './seen.ts'
import { usualDurations } from './usual.ts'

/** What has been appended after this may simply not have been fetched yet: no second look is needed to say so. */
const FRESH_MS = 2_000
/** What runs for less than this is not called slow, so its usual time is not asked for. */
const SLOW_FROM_MS = 5_000

/** Whether the run that is looked at has ended for good, and whether the registry answers. */
export interface Circumstances {
  readonly isOver: boolean
  readonly registryProblem: string | undefined
}

/** See the file's head. */
export async function observe(
  lookout: Lookout,
  graph: FlowGraph,
  { isOver, registryProblem }: Circumstances,
): Promise<Observations> {
  const { clock, manifests, contracts } = lookout.options
  const open = graph.handlings.filter(({ status }) => status !== 'completed' && status !== 'failed')
  const failed = graph.handlings.filter(({ status }) => status === 'failed')
  const claims = isOver ? new Map<string, ClaimSeen>() : await claimsOf(lookout, graph, open)
  const agents = involvedAgents(lookout, open)
  const [seenAgents, logStarts] = await Promise.all([
    seeAgents(lookout, graph, agents, { open, claims, isOver }),
    logStartsOf(lookout, graph),
  ])
  // Last, because their age counts: two looks at a queue take more than a second.
  const leases = isOver ? new Map<string, LeaseSeen>() : await lookout.leases(agents)
  const handlings = new Map<string, HandlingSeen>()
  for (const handling of open) {
    handlings.set(handling.key, await openHandling(lookout, graph, handling, { claims, leases, isOver }))
  }
  for (const handling of failed) handlings.set(handling.key, await failedHandling(lookout, handling))
  const within = [...contracts.topics.values()].flatMap(({ name, expects }) =>
    expects === undefined ? [] : [[name, expects.withinMs] as const],
  )
  return {
    nowMs: clock.nowMs(),
    manifests,
    store: isOver || open.length === 0 ? { state: 'unasked' } : (await lookout.store()).seen,
    registry: registryProblem === undefined ? { state: 'unasked' } : { state: 'away', problem: registryProblem },
    leases,
    agents: seenAgents,
    handlings,
    logStarts,
    expectedWithinMs: new Map(within),
    isOver,
    unseen: [...lookout.unseen],
  }
}

/** Agents of open handlings and, behind joins that lack something, everybody who could bring it. */
function involvedAgents({ options }: Lookout, open: readonly FlowHandling[]): ReadonlySet<string> {
  const agents = new Set(open.map(({ agent }) => agent))
  const missing = open.flatMap(({ join }) => join?.missing ?? [])
  const asked = new Set<string>()
  for (let topic = missing.pop(); topic !== undefined; topic = missing.pop()) {
    if (asked.has(topic)) continue
    asked.add(topic)
    for (const manifest of options.manifests) {
      if (!outputsOf(manifest).includes(topic)) continue
      agents.add(manifest.agent)
      missing.push(...manifest.consumes)
    }
  }
  return agents
}

async function claimsOf(
  lookout: Lookout,
  { flowId }: FlowGraph,
  open: readonly FlowHandling[],
): Promise<Map<string, ClaimSeen>> {
  const claims = new Map<string, ClaimSeen>()
  for (const [agent, own] of Map.groupBy(open, (handling) => handling.agent)) {
    const refs = own.map(({ handlingId }) => ({ flowId, handlingId }))
    const states = await lookout.ask((store) => store.viewOf(agent).handlings(refs))
    own.forEach(({ key }, index) => {
      const state = states?.[index]
      if (state !== undefined) claims.set(key, claimSeen(state))
    })
  }
  return claims
}

async function seeAgents(
  lookout: Lookout,
  graph: FlowGraph,
  agents: ReadonlySet<string>,
  { open, claims, isOver }: { open: readonly FlowHandling[]; claims: ReadonlyMap<string, ClaimSeen>; isOver: boolean },
): Promise<ReadonlyMap<string, AgentSeen>> {
  if (isOver) return new Map()
  const nowMs = lookout.options.clock.nowMs()
  const seen = [...agents].map(async (agent): Promise<readonly [string, AgentSeen]> => {
    const own = open.filter((handling) => handling.agent === agent)
    const queued = own.filter(({ key }) => !isHeld(claims.get(key)))
    const inputs = queued.flatMap((handling) => inputOf(graph, handling) ?? [])
    const isOld = inputs.some(({ recordedAtMs }) => recordedAtMs === null || nowMs - recordedAtMs >= FRESH_MS)
    const topics = [...new Set(inputs.flatMap(({ topic }) => (topic === '' ? [] : [topic])))]
    const found = await lookout.agent(agent, topics, isOld)
    const runsLong = own.some(
      ({ startedAtMs, key }) =>
        isHeld(claims.get(key)) && nowMs - (startedAtMs ?? graph.startedAtMs ?? nowMs) > SLOW_FROM_MS,
    )
    return [agent, runsLong ? { ...found, usual: await usualDurations(lookout.options, agent) } : found]
  })
  return new Map(await Promise.all(seen))
}

function isHeld(claim: ClaimSeen | undefined): boolean {
  return (claim?.state === 'claimed' || claim?.state === 'computed') && claim.owner !== ''
}

/** The event that a handling is about: for a join the latest member. */
export function inputOf(graph: FlowGraph, { inputs }: FlowHandling): FlowEvent | undefined {
  return inputs.map((id) => graph.events.find((event) => event.id === id)).findLast((event) => event !== undefined)
}

interface Looked {
  readonly claims: ReadonlyMap<string, ClaimSeen>
  readonly leases: ReadonlyMap<string, LeaseSeen>
  readonly isOver: boolean
}

async function openHandling(
  lookout: Lookout,
  graph: FlowGraph,
  handling: FlowHandling,
  { claims, leases, isOver }: Looked,
): Promise<HandlingSeen> {
  const claim = claims.get(handling.key) ?? null
  const nothing: HandlingSeen = {
    claim,
    isInputFinished: null,
    steps: [],
    predecessor: null,
    runningAhead: 0,
    deadLetter: undefined,
  }
  if (isOver) return nothing
  if (isHeld(claim ?? undefined)) return { ...nothing, steps: await stepsOf(lookout, graph, handling) }
  const event = inputOf(graph, handling)
  const position = event?.position
  if (event === undefined || position === null || position === undefined) return nothing
  const progress = (await lookout.progress(handling.agent, position.topic)).get(
    `${position.topic}/${position.partition}`,
  )
  const isInputFinished = progress === undefined ? null : isFinishedAt(progress, position.offset)
  const isParked = handling.outcome === 'suspended' && handling.detail['parked'] !== undefined
  const waits = isParked || isInputFinished === false
  const predecessor = waits ? await findPredecessor(lookout, handling, event, { isParked, progress }) : null
  const ahead =
    isInputFinished === false && progress !== undefined
      ? await runningAhead(lookout, handling, event, { progress, leases })
      : 0
  return { ...nothing, isInputFinished, predecessor, runningAhead: ahead }
}

async function stepsOf(lookout: Lookout, { flowId }: FlowGraph, handling: FlowHandling): Promise<readonly StepSeen[]> {
  const { agent, handlingId } = handling
  const journal = await lookout.ask((store) => store.viewOf(agent).journal({ flowId, handlingId }))
  return [...(journal?.values() ?? [])].flatMap((bytes) => {
    const { kind, name, result, begunAtMs, durationMs } = decodeEntry(bytes)
    return kind === 'restart' ? [] : [{ name, hasEnded: result !== null, begunAtMs, durationMs }]
  })
}

async function failedHandling(lookout: Lookout, { agent, handlingId, inputs }: FlowHandling): Promise<HandlingSeen> {
  const letters = await lookout.deadLetters(agent)
  const own = letters.filter((letter) => letter.handlingId === handlingId || inputs.includes(letter.eventId))
  const newest = own.toSorted((a, b) => b.generation - a.generation)[0]
  return {
    claim: null,
    isInputFinished: null,
    steps: [],
    predecessor: null,
    runningAhead: 0,
    deadLetter: newest === undefined ? null : deadLetterSeen(newest),
  }
}

/** Where the logs begin that claimed but missing events should lie in. */
async function logStartsOf(lookout: Lookout, graph: FlowGraph): Promise<ReadonlyMap<string, number>> {
  const missing = new Set(graph.completeness.unpublished)
  const topics = new Set(graph.events.flatMap(({ id, topic }) => (missing.has(id) && topic !== '' ? [topic] : [])))
  const starts = new Map<string, number>()
  for (const topic of topics) {
    for (const { partition, startOffset } of await lookout.options.broker.admin.offsets(topic)) {
      starts.set(`${topic}/${partition}`, startOffset)
    }
  }
  return starts
}
