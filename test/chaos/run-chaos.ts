/** One run: servers of its own, agents, a load and a monkey; then quiet, until all has ended; then the log is read and judged. */
import { creditLoad, longLoad } from './load/choreographies.ts'
import { openOutsideWorld } from './load/outside-world.ts'
import { Monkey } from './monkey/monkey.ts'
import { planActs, type ActCounts, type ActKind } from './monkey/plan.ts'
import { feed } from './scene/feed.ts'
import { Fleet, type Tell } from './scene/fleet.ts'
import { OwnServers } from './scene/own-servers.ts'
import { lookNowAndThen, Stage, untilQuiet, type Judged } from './scene/stage.ts'

/** What is asked for. */
export interface ChaosPlan {
  readonly seed: number
  readonly durationMs: number
  readonly flowsPerSecond: number
  readonly acts: ActCounts
  /** How long everything may take to end once the monkey has. */
  readonly patienceMs: number
  /** More configuration of the agents. */
  readonly env: Readonly<Record<string, string>>
}

/** What came of it. */
export interface ChaosResult {
  readonly done: ReadonlyMap<ActKind, number>
  /** Processes that ended although nobody had asked them to. */
  readonly ownEnds: number
  /** Warnings of all processes, with how often each was given. */
  readonly warnings: ReadonlyMap<string, number>
  /** Files that had to be published again. */
  readonly publishedAgain: number
  /** Events that had cost three processes, and were sent once more when all had ended. */
  readonly redriven: number
  /** From the monkey's end until all had ended. */
  readonly quietMs: number
  readonly choreographies: readonly Judged[]
}

/** Flows with handlers of up to 30 s, as a share of all. */
const LONG_SHARE = 0.1

/** @throws Error when a server or a process cannot be started, or the load not be published: then there is nothing to judge */
export async function runChaos(plan: ChaosPlan, tell: Tell, signal: AbortSignal): Promise<ChaosResult> {
  await using closing = new AsyncDisposableStack()
  const servers = closing.adopt(await OwnServers.start(), (open) => open.close())
  const world = closing.adopt(await openOutsideWorld(), (open) => open.close())
  const stages: Stage[] = []
  for (const [load, share] of [[creditLoad, 1 - LONG_SHARE] as const, [longLoad(), LONG_SHARE] as const]) {
    const flows = Math.round((plan.durationMs / 1_000) * plan.flowsPerSecond * share)
    const stagePlan = { load, flows, servers: servers.addresses, worldUrl: world.url, env: plan.env }
    stages.push(closing.adopt(await Stage.open(stagePlan), (stage) => stage.close()))
  }
  const places = stages.flatMap((stage) => stage.places())
  const fleet = new Fleet(places, tell)
  await fleet.ready()
  tell(`${places.length} processes consume`)
  const monkey = new Monkey({ fleet, servers, tell })
  const { seed, durationMs } = plan
  const [publishedAgain] = await untilFirstFailure(signal, (either) => [
    Promise.all(stages.map((stage) => feed({ stage, seed, overMs: durationMs, signal: either }))),
    monkey.play(planActs(seed, durationMs, plan.acts), either),
    lookNowAndThen(stages, durationMs, either),
  ])
  tell('the monkey rests, all is published')
  const quietFromMs = Date.now()
  let behind = await untilQuiet(stages, plan.patienceMs)
  const quietMs = Date.now() - quietFromMs
  let redriven = 0
  for (const stage of stages) redriven += await stage.redriveQuarantined()
  if (redriven > 0) behind = await untilQuiet(stages, plan.patienceMs)
  tell(`${behind.flat().length === 0 ? 'all has ended' : 'patience ends'} after ${quietMs} ms`)
  await fleet.close()
  const { interruptions, kills, ownEnds } = fleet
  const choreographies: Judged[] = []
  for (const [index, stage] of stages.entries()) {
    const disturbances = { kills, outages: monkey.outages }
    choreographies.push(await stage.judge({ calls: world.calls, interruptions }, disturbances, behind[index] ?? []))
  }
  return {
    ...{ done: monkey.done, ownEnds, warnings: fleet.warnings(), redriven, quietMs, choreographies },
    publishedAgain: publishedAgain.reduce((sum, count) => sum + count, 0),
  }
}

/** All together; when one fails the others are not waited for in vain. */
async function untilFirstFailure<T extends readonly unknown[]>(
  signal: AbortSignal,
  start: (either: AbortSignal) => { readonly [K in keyof T]: Promise<T[K]> },
): Promise<T> {
  const failed = new AbortController()
  const work = start(AbortSignal.any([signal, failed.signal]))
  try {
    return await Promise.all(work)
  } catch (error) {
    failed.abort()
    await Promise.allSettled(work)
    throw error
  }
}
