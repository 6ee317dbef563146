/**
 * I10: redriving the same generation of a dead letter twice runs it once. Once a handling has ended as generation g, it runs again only
 * for a redrive that names g or a later one; once it has completed, never.
 */
import { decodeEnvelope, headerText } from '../../../contracts/envelope.ts'
import { eventHeaders } from '../../../contracts/event-headers.ts'
import { joinHandlingId } from '../../../contracts/ids.ts'
import { readHandover } from '../../retry/handover.ts'
import { placeOf, type Finding, type History, type JudgedAgent, type PastRecord } from './history.ts'

/** What happened to one handling that has been a dead letter. */
export interface Story {
  /** Ends as a dead letter, in order. */
  readonly deaths: { readonly at: number; readonly generation: number }[]
  readonly redrives: { readonly at: number; readonly generation: number }[]
  completedAt: number
}

const LETTERS = '.dead-letter'
const REDRIVES = '.retry.redrive'

/** I10: what breaks it. */
export function redrivenOnce(history: History): Finding[] {
  const stories = redrivesIn(history)
  return history.runs.flatMap(({ at, agent, handlingId, flowId, isStray }): Finding[] => {
    const story = isStray ? undefined : stories.get(`${agent} ${handlingId}`)
    if (story === undefined) return []
    const say = (problem: string): Finding[] => [{ invariant: 'I10', problem, flowId }]
    if (story.completedAt < at) return say(`${agent} ran ${handlingId} again, which a redrive had completed`)
    const dead = greatest(story.deaths, at)
    if (dead <= greatest(story.redrives, at)) return []
    return say(`${agent} ran ${handlingId} again, which is dead in generation ${dead}, without a redrive of it`)
  })
}

/** Handlings that have been dead letters or were redriven, by agent and handling: `agent id`. */
export function redrivesIn(history: History): ReadonlyMap<string, Story> {
  const stories = new Map<string, Story>()
  const generations = new Map<string, number>()
  for (const record of history.own) {
    const generation = Number(headerText(record.headers, 'laban-dlq-generation') ?? 'NaN')
    if (record.topic.endsWith(LETTERS) && Number.isInteger(generation)) generations.set(placeOf(record), generation)
  }
  for (const { at, fact } of history.facts) {
    const generation = generations.get(fact.detail['deadLetter'] ?? '')
    if (fact.outcome === 'dead-lettered' && generation !== undefined)
      storyOf(stories, fact.agent, fact.handlingId).deaths.push({ at, generation })
  }
  const agents = new Map(history.agents.map((agent) => [agent.name, agent]))
  for (const record of history.own) {
    const agent = record.topic.endsWith(REDRIVES) ? agents.get(record.topic.slice(0, -REDRIVES.length)) : undefined
    if (agent === undefined) continue
    const redrive = redriveIn(record, agent)
    if (redrive !== undefined) storyOf(stories, agent.name, redrive.handlingId).redrives.push(redrive)
  }
  for (const { at, fact } of history.facts) {
    const story = fact.outcome === 'completed' ? stories.get(`${fact.agent} ${fact.handlingId}`) : undefined
    if (story !== undefined) story.completedAt = Math.min(story.completedAt, at)
  }
  return stories
}

function storyOf(stories: Map<string, Story>, agent: string, handlingId: string): Story {
  const name = `${agent} ${handlingId}`
  const story = stories.get(name) ?? { deaths: [], redrives: [], completedAt: Infinity }
  stories.set(name, story)
  return story
}

function redriveIn(
  record: PastRecord,
  agent: JudgedAgent,
): { readonly at: number; readonly generation: number; readonly handlingId: string } | undefined {
  const handover = readHandover(record.headers)
  if (handover?.kind !== 'redrive') return undefined
  const { id, flowId } = decodeEnvelope(eventHeaders(record.headers), handover.origin)
  const handlingId = agent.isJoin ? joinHandlingId(agent.name, flowId) : id
  return { at: record.at, generation: handover.generation, handlingId }
}

/** Greatest generation before a moment; 0 for none. */
function greatest(happened: Story['deaths'], before: number): number {
  return Math.max(0, ...happened.filter(({ at }) => at < before).map(({ generation }) => generation))
}
