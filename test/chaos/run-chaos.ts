/** One run: servers of its own, agents, a load and a monkey; then quiet, until all has ended; then the log is read and judged. */
import { setTimeout as pause } from 'node:timers/promises'
import { Deployment } from '../harness/processes.ts'
import { waitFor } from '../harness/wait.ts'
import { check } from './checker/check.ts'
import { figuresOf, type Disturbances, type Figures } from './checker/figures.ts'
import type { Choreography, History, Violation } from './checker/history.ts'
import { readLog } from './checker/read-log.ts'
import { OffsetWatch } from './checker/watch-offsets.ts'
import { creditLoad, longLoad, type Load } from './load/choreographies.ts'
import { openOutsideWorld, type OutsideWorld } from './load/outside-world.ts'
import { Monkey } from './monkey/monkey.ts'
import { planActs, type ActCounts, type ActKind } from './monkey/plan.ts'
import { feed } from './scene/feed.ts'
import { Fleet, type Tell } from './scene/fleet.ts'
import { OwnServers } from './scene/own-servers.ts'

/** What is asked for. */
export interface ChaosPlan {
  readonly seed: number
  readonly durationMs: number
  readonly flowsPerSecond: number
  readonly acts: ActCounts
  /** How long everything may take to end once the monkey has. */
  readonly patienceMs: number
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
  /** From the monkey's end until all had ended. */
  readonly quietMs: number
  readonly choreographies: readonly Judged[]
}

/** One choreography of a run. */
export interface Judged {
  readonly name: string
  readonly flows: number
  readonly figures: Figures
  readonly violations: readonly Violation[]
  /** Partitions of which not all was committed when patience ended. */
  readonly behind: readonly string[]
}

/** Of both choreographies, half of the processes of this kind may be away at a time. */
const PROCESSES_OF_A_KIND = 2
/** Flows with handlers of up to 30 s, as a share of all. */
const LONG_SHARE = 0.1
const LOOK_EVERY_MS = 500

interface Stage {
  readonly load: Load
  readonly choreography: Choreography
  readonly deployment: Deployment
  readonly watch: OffsetWatch
}

/** @throws Error when a server or a process cannot be started, or the load not be published: then there is nothing to judge */
export async function runChaos(plan: ChaosPlan, tell: Tell, signal: AbortSignal): Promise<ChaosResult> {
  await using closing = new AsyncDisposableStack()
  const servers = closing.adopt(await OwnServers.start(), (open) => open.close())
  const world = closing.adopt(await openOutsideWorld(), (open) => open.close())
  const stages: Stage[] = []
  for (const [load, share] of [[creditLoad, 1 - LONG_SHARE] as const, [longLoad, LONG_SHARE] as const]) {
    const flows = Math.round((plan.durationMs / 1_000) * plan.flowsPerSecond * share)
    const stage = await openStage(load, flows, servers, world)
    closing.defer(() => closeStage(stage))
    stages.push(stage)
  }
  const places = stages.flatMap(({ load, deployment }) =>
    load.processes.flatMap((files) =>
      Array.from({ length: PROCESSES_OF_A_KIND }, (_, index) => ({ name: placeName(files, index), deployment, files })),
    ),
  )
  const fleet = new Fleet(places, tell)
  await fleet.ready()
  tell(`${places.length} processes consume`)
  const monkey = new Monkey({ fleet, servers, tell })
  const [publishedAgain] = await untilFirstFailure(signal, (either) => [
    publishAll(stages, plan, either),
    monkey.play(planActs(plan.seed, plan.durationMs, plan.acts), either),
    lookNowAndThen(stages, plan.durationMs, either),
  ])
  tell('the monkey rests, all is published')
  const quietFromMs = Date.now()
  const behind = await untilQuiet(stages, plan.patienceMs)
  const quietMs = Date.now() - quietFromMs
  tell(`${behind.flat().length === 0 ? 'all has ended' : 'patience ends'} after ${quietMs} ms`)
  await fleet.close()
  const { interruptions, kills, ownEnds } = fleet
  const disturbances = { kills, outages: monkey.outages }
  const seen = { calls: world.calls, interruptions }
  const choreographies: Judged[] = []
  for (const [index, stage] of stages.entries())
    choreographies.push(await judge(stage, servers, seen, { disturbances, behind: behind[index] ?? [] }))
  return { done: monkey.done, ownEnds, warnings: fleet.warnings(), publishedAgain, quietMs, choreographies }
}

async function openStage(load: Load, flows: number, servers: OwnServers, world: OutsideWorld): Promise<Stage> {
  const { agents, firstTopic, contractsDir } = load
  const deployment = await Deployment.make(`chaos-${load.name}`, {
    agents: load.processes.flat(),
    ...(contractsDir === undefined ? {} : { contractsDir }),
    servers: servers.addresses,
    env: { CHAOS_WORLD_URL: world.url },
  })
  const choreography = { agents, firstTopic, flows }
  return { load, choreography, deployment, watch: new OffsetWatch(addressOf(deployment, servers), choreography) }
}

async function closeStage({ deployment, watch }: Stage): Promise<void> {
  await watch.close()
  await deployment.stop()
}

function addressOf({ namespace }: Deployment, { addresses }: OwnServers) {
  return { ...addresses, namespace }
}

function placeName(files: readonly string[], index: number): string {
  return `${files.map((file) => file.slice(file.lastIndexOf('/') + 1)).join('+')}#${index + 1}`
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

async function publishAll(stages: readonly Stage[], plan: ChaosPlan, signal: AbortSignal): Promise<number> {
  const { seed, durationMs: overMs } = plan
  const failures = await Promise.all(
    stages.map(({ load, deployment, choreography: { flows } }) =>
      feed({ deployment, load, flows, seed, overMs, signal }),
    ),
  )
  return failures.reduce((sum, count) => sum + count, 0)
}

async function lookNowAndThen(stages: readonly Stage[], forMs: number, signal: AbortSignal): Promise<void> {
  const untilMs = Date.now() + forMs
  while (Date.now() < untilMs) {
    for (const { watch } of stages) await watch.look()
    await pause(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** What is still not committed, by stage. Twice in a row nothing: what the one look has passed may have been followed by more. */
async function untilQuiet(stages: readonly Stage[], patienceMs: number): Promise<readonly (readonly string[])[]> {
  let behind: readonly (readonly string[])[] = []
  let quietLooks = 0
  const isQuiet = async (): Promise<boolean> => {
    for (const { watch } of stages) await watch.look()
    behind = await Promise.all(stages.map(async ({ watch }) => (await watch.behind()) ?? ['Kafka does not answer']))
    quietLooks = behind.flat().length === 0 ? quietLooks + 1 : 0
    await pause(LOOK_EVERY_MS)
    return quietLooks > 1
  }
  // What is still open then is a finding like any other.
  await waitFor(isQuiet, { timeoutMs: patienceMs }).catch(() => undefined)
  return behind
}

async function judge(
  { load, choreography, deployment, watch }: Stage,
  servers: OwnServers,
  seen: Pick<History, 'calls' | 'interruptions'>,
  { disturbances, behind }: { readonly disturbances: Disturbances; readonly behind: readonly string[] },
): Promise<Judged> {
  const read = await readLog(addressOf(deployment, servers), choreography)
  // The outside world belongs to the one choreography that calls it.
  const calls = load === longLoad ? seen.calls : []
  const history: History = { ...read, samples: watch.samples, interruptions: seen.interruptions, calls }
  const { flows } = choreography
  return {
    name: load.name,
    flows,
    figures: figuresOf(history, disturbances),
    violations: check(choreography, history),
    behind,
  }
}
