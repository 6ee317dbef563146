/** Verdicts on an agent as a whole: the servers that it needs, its instances, its group. The first that holds is told. */
import type { InstanceProblem } from '../../contracts/manifest.ts'
import type { VerdictCode } from '../../contracts/verdict-table.ts'
import { durationText } from '../duration-text.ts'
import { verdictOf, type Evidence, type Verdict } from './verdict.ts'
import { agoText, countText, evidence, lifeEvidence, listText } from './wording.ts'
import type { Instance, World } from './world.ts'

/** What keeps the agent from working at all; undefined when nothing does. */
export function agentVerdict(world: World, agent: string): Verdict | undefined {
  return (
    storeVerdict(world, agent) ??
    deadVerdict(world, agent) ??
    problemVerdict(world, agent) ??
    groupVerdict(world, agent)
  )
}

function storeVerdict(world: World, agent: string): Verdict | undefined {
  const { store, nowMs } = world.seen
  if (store.state === 'away') {
    return verdictOf({
      code: 'store-unavailable',
      subject: {},
      sentence: `The store does not answer, so ${agent} begins nothing new: ${store.problem}`,
      evidence: [evidence('store', store.problem, 'asked just now'), ...lives(world.alive(agent), nowMs)],
      next: 'laban doctor',
    })
  }
  const instances = world.instances(agent)
  const isForgotten = world.alive(agent).length === 0 && instances.some(({ life }) => life === 'forgotten')
  const isRebuilt = world.agent(agent)?.isRecovered === false && instances.length > 0
  if (!isForgotten && !isRebuilt) return undefined
  return verdictOf({
    code: 'store-rebuilding',
    subject: { agent },
    sentence: `The store has lost its memory, and what it knew of ${agent} is being read back from the log`,
    evidence: [
      isRebuilt
        ? evidence('epoch', 'not complete', 'store')
        : evidence('leases', 'gone, though announced since', 'store'),
      ...lives(instances, nowMs),
    ],
    next: 'laban agents',
  })
}

/** No instance is alive. */
function deadVerdict(world: World, agent: string): Verdict | undefined {
  const { nowMs, isOver } = world.seen
  const instances = world.instances(agent)
  if (world.alive(agent).length > 0) return undefined
  const [last] = instances
  if (last === undefined) return undefined
  const seenAtMs = Math.max(...instances.map(lastSeenMs(nowMs)))
  return verdictOf({
    code: 'no-live-consumer',
    subject: { agent },
    sentence: isOver
      ? `${agent} does not run any more: the run has ended`
      : `${agent} does not run: ${deathText(instances, nowMs)}`,
    evidence: lives(instances, nowMs),
    next: `laban run <file of ${agent}>`,
    sinceMs: seenAtMs,
  })
}

/** Counting from the last renewal of the lease where that is known. */
function lastSeenMs(nowMs: number): (instance: Instance) => number {
  return ({ manifest, renewedAgoMs }) => Math.max(manifest.seenAtMs, renewedAgoMs === null ? 0 : nowMs - renewedAgoMs)
}

function deathText(instances: readonly Instance[], nowMs: number): string {
  const unended = instances.filter(({ life }) => life !== 'stopped')
  const [first] = unended
  if (first === undefined) {
    const stopped = instances[0]
    return `${instances.length === 1 ? 'its instance' : 'all instances'} stopped, the last one ${agoText(stopped?.manifest.seenAtMs ?? nowMs, nowMs)}`
  }
  const name = first.manifest.instance
  if (first.life === 'overdue') {
    return `${name} has not renewed its lease for ${durationText(first.renewedAgoMs ?? 0)} (stopped, killed or hanging)`
  }
  if (first.life === 'gone') return `the lease of ${name} has ended without a word (killed or hanging)`
  return `${name} was last heard of ${agoText(first.manifest.seenAtMs, nowMs)}`
}

const CODES: Readonly<Record<InstanceProblem, VerdictCode>> = {
  store: 'store-unavailable',
  recovering: 'store-rebuilding',
  registry: 'registry-unavailable',
  broker: 'broker-unreachable',
  failing: 'agent-failing',
  blocked: 'publish-blocked',
  paused: 'partition-paused',
  consume: 'not-ready',
}
/** An instance with one of these still consumes, so that it explains only what it names. */
const PARTIAL: ReadonlySet<string> = new Set(['blocked', 'paused', 'registry'])

/** Every live instance says that it does not consume. */
function problemVerdict(world: World, agent: string): Verdict | undefined {
  const alive = world.alive(agent)
  const told = alive.map((instance) => ({ instance, problem: firstProblem(instance, false) }))
  const [first] = told
  if (first?.problem === undefined || told.some(({ problem }) => problem === undefined)) return undefined
  return toldVerdict(world, agent, first.instance, first.problem)
}

/** One live instance of several says that it does not consume: what stands in a partition of its stands because of it. */
export function cutOffVerdict(world: World, agent: string): Verdict | undefined {
  for (const instance of world.alive(agent)) {
    const problem = firstProblem(instance, false)
    if (problem !== undefined) return toldVerdict(world, agent, instance, problem)
  }
  return undefined
}

/** What a live instance says of itself that concerns single records: a refused output, a full partition, a missing schema. */
export function partialVerdict(world: World, agent: string): Verdict | undefined {
  for (const instance of world.alive(agent)) {
    const problem = firstProblem(instance, true)
    if (problem !== undefined) return toldVerdict(world, agent, instance, problem)
  }
  return undefined
}

function firstProblem({ problems }: Instance, partial: boolean): InstanceProblem | undefined {
  const codes = Object.keys(CODES) as InstanceProblem[]
  return codes.find((code) => problems[code] !== undefined && PARTIAL.has(code) === partial)
}

/** What an instance says of itself, as a verdict. */
function toldVerdict(world: World, agent: string, instance: Instance, problem: InstanceProblem): Verdict {
  const { nowMs } = world.seen
  const text = (instance.problems[problem] ?? '').replace(/\.$/, '')
  const { manifest } = instance
  // Whoever diagnoses has read the log and asked the store: only the way of that instance is cut.
  const answersHere = problem === 'broker' || (problem === 'store' && world.seen.store.state === 'ok')
  return verdictOf({
    code: CODES[problem],
    subject: { agent },
    sentence: `${agent} on ${manifest.host} says: ${text}`,
    evidence: [
      evidence(problem, text, `instance ${manifest.instance}`),
      ...(answersHere ? [evidence(problem, 'answers whoever asks here', 'asked just now')] : []),
      ...lives(world.alive(agent), nowMs),
    ],
    next: problem === 'failing' ? `laban dlq list --agent ${agent}` : answersHere ? 'laban agents' : 'laban doctor',
  })
}

const SETTLED: ReadonlySet<string> = new Set(['Stable'])
const NOBODY: ReadonlySet<string> = new Set(['Empty', 'Dead'])

function groupVerdict(world: World, agent: string): Verdict | undefined {
  const seen = world.agent(agent)
  const group = seen?.group
  if (group === null || group === undefined || SETTLED.has(group.state)) return undefined
  const alive = world.alive(agent)
  const shown = evidence('group', `${agent}: ${group.state}, ${countText(group.members, 'member')}`, 'Kafka')
  const isEmpty = NOBODY.has(group.state) || group.members === 0
  return verdictOf({
    code: isEmpty ? 'group-empty' : 'group-rebalancing',
    subject: { agent },
    sentence: isEmpty
      ? `${countText(alive.length, 'instance')} of ${agent} ${alive.length === 1 ? 'is' : 'are'} alive, but nobody is in its group`
      : `The group of ${agent} is being divided anew (${group.state}, ${countText(group.members, 'member')})`,
    evidence: [shown, ...lives(alive, world.seen.nowMs)],
    next: 'laban agents',
  })
}

const SHOWN_INSTANCES = 3

function lives(instances: readonly Instance[], nowMs: number): readonly Evidence[] {
  const shown = instances.slice(0, SHOWN_INSTANCES).map((instance) => lifeEvidence(instance, nowMs))
  const rest = instances.slice(SHOWN_INSTANCES).map(({ manifest }) => manifest.instance)
  return rest.length === 0 ? shown : [...shown, evidence('more instances', listText(rest), 'laban.agents')]
}
