/** Why a join waits: for each topic that is missing, who should have brought it, and why that one has not; down to the roots. */
import type { FlowHandling } from '../flow-graph.ts'
import { failedVerdict } from './failed.ts'
import { agentVerdict } from './life.ts'
import { standsStill, verdictOf, type Verdict } from './verdict.ts'
import { evidence, listText } from './wording.ts'
import type { World } from './world.ts'

type OpenVerdict = (world: World, handling: FlowHandling, path: readonly string[]) => Verdict

/** What is being asked: `path` holds the topics and handlings further up, because a join of a join must end. */
interface Asking {
  readonly world: World
  readonly path: readonly string[]
  readonly open: OpenVerdict
}

/** The verdict on a join that lacks members. */
export function joinVerdict(world: World, handling: FlowHandling, path: readonly string[], open: OpenVerdict): Verdict {
  const { agent, join, key } = handling
  const missing = join?.missing ?? []
  const have = (join?.topics ?? []).filter((topic) => !missing.includes(topic))
  const causes = missing.map((topic) => missingTopic({ world, open, path: [...path, key] }, topic))
  const found = causes.flatMap((cause) => cause ?? [])
  const members = handling.inputs.flatMap((id) => world.event(id)?.recordedAtMs ?? [])
  const latest = handling.inputs.at(-1)
  return verdictOf({
    code: found.length === 0 || !found.every(moves) ? 'waiting-for-join' : 'awaiting-members',
    subject: { flowId: world.graph.flowId, agent, ...(latest === undefined ? {} : { eventId: latest }) },
    sentence: `${agent} has ${have.length} of ${have.length + missing.length} and waits for ${listText(missing)}`,
    evidence: [
      evidence('has', have.join(', ') || 'nothing', 'laban.facts'),
      evidence('missing', missing.join(', '), 'laban.facts'),
    ],
    next: `laban flow ${world.graph.flowId}`,
    causes: found,
    sinceMs: members.length === 0 ? null : Math.min(...members),
  })
}

/** A dead letter that was given up has ended, and will bring nothing. */
function moves(verdict: Verdict): boolean {
  return verdict.standing === 'moving' && !stands(verdict)
}

function stands(verdict: Verdict): boolean {
  return standsStill(verdict) || verdict.causes.some(stands)
}

/** Why no event of this topic has come into the flow. Undefined: that is already being asked further up. */
function missingTopic(asking: Asking, topic: string): Verdict | undefined {
  const { world, path } = asking
  if (path.includes(topic)) return undefined
  const producers = world.producersOf(topic)
  if (producers.length === 0) return noProducer(world, topic)
  const verdicts = producers.flatMap(
    (agent) => producerVerdict({ ...asking, path: [...path, topic] }, agent, topic) ?? [],
  )
  return verdicts.find(stands) ?? verdicts[0]
}

function noProducer(world: World, topic: string): Verdict {
  return verdictOf({
    code: 'no-producer',
    subject: { flowId: world.graph.flowId, topic },
    sentence: `No agent that has ever announced itself publishes ${topic}`,
    evidence: [evidence('producers', 'none', 'laban.agents')],
    next: 'laban agents --all',
  })
}

/** Why one agent has not brought an event of the topic. */
function producerVerdict(asking: Asking, agent: string, topic: string): Verdict | undefined {
  const { world, path, open } = asking
  const own = world.graph.handlings.filter((handling) => handling.agent === agent && !path.includes(handling.key))
  const failed = own.find(({ status }) => status === 'failed')
  const waiting = own.find(({ status }) => status !== 'failed' && status !== 'completed')
  if (waiting !== undefined) return open(world, waiting, path)
  if (failed !== undefined) return failedVerdict(world, failed)
  const completed = own.find(({ status }) => status === 'completed')
  if (completed !== undefined) return withoutOutput(world, completed, topic)
  const dead = agentVerdict(world, agent)
  if (dead !== undefined && world.newest(agent) === undefined) return dead
  const inputs = world.newest(agent)?.consumes ?? []
  const above = inputs.flatMap((input) => missingTopic(asking, input) ?? [])
  return above.find(stands) ?? above[0] ?? dead
}

/** It has ended and has not published the topic: it never will. */
export function withoutOutput(world: World, handling: FlowHandling, topic: string): Verdict {
  const { agent, outcome } = handling
  const isDuty = world.newest(agent)?.always.includes(topic) === true && outcome !== 'rejected'
  const ended = outcome === 'rejected' ? 'rejected its input' : 'completed'
  const published = handling.outputs.flatMap((id) => world.event(id)?.topic ?? [])
  return verdictOf({
    code: isDuty ? 'published-nothing' : 'chose-otherwise',
    subject: { flowId: world.graph.flowId, agent, topic },
    sentence: `${agent} ${ended} without publishing ${topic}${isDuty ? ', which it promises always' : ''}`,
    evidence: [
      evidence('outcome', outcome ?? 'unknown', 'laban.facts'),
      evidence('published', published.length === 0 ? 'nothing' : published.join(', '), 'laban.facts'),
    ],
    next: `laban flow ${world.graph.flowId}`,
    sinceMs: handling.endedAtMs,
  })
}
