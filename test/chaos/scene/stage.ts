/** One choreography of a run: its namespace, what is published into it, and the judgement of what is left on its log. */
import { setTimeout as pause } from 'node:timers/promises'
import { Deployment, type ServerAddresses } from '../../harness/processes.ts'
import { check } from '../checker/check.ts'
import { figuresOf, type Disturbances, type Figures } from '../checker/figures.ts'
import type { Choreography, History, Violation } from '../checker/history.ts'
import { readLog, type LogAddress } from '../checker/read-log.ts'
import { OffsetWatch } from '../checker/watch-offsets.ts'
import type { Load } from '../load/choreographies.ts'
import type { PlacePlan } from './fleet.ts'

/** What came of one choreography. */
export interface Judged {
  readonly name: string
  readonly flows: number
  readonly figures: Figures
  readonly violations: readonly Violation[]
  /** Partitions of which not all was committed when patience ended. */
  readonly behind: readonly string[]
}

/** Where and for how many flows. */
export interface StagePlan {
  readonly load: Load
  readonly flows: number
  readonly servers: ServerAddresses
  readonly worldUrl: string
  /** More configuration of the agents. */
  readonly env?: Readonly<Record<string, string>>
}

/** Half of the processes of a kind may be away at a time. */
const PROCESSES_OF_A_KIND = 2
const LOOK_EVERY_MS = 500

/** See the file's head. */
export class Stage {
  readonly load: Load
  readonly choreography: Choreography
  readonly deployment: Deployment
  readonly #address: LogAddress
  readonly #watch: OffsetWatch

  private constructor(load: Load, choreography: Choreography, deployment: Deployment, address: LogAddress) {
    this.load = load
    this.choreography = choreography
    this.deployment = deployment
    this.#address = address
    this.#watch = new OffsetWatch(address, choreography)
  }

  /** Makes topics and schemas. */
  static async open({ load, flows, servers, worldUrl, env }: StagePlan): Promise<Stage> {
    const { agents, firstTopic, contractsDir } = load
    const deployment = await Deployment.make(`chaos-${load.name}`, {
      agents: load.processes.flat(),
      ...(contractsDir === undefined ? {} : { contractsDir }),
      servers,
      env: { CHAOS_WORLD_URL: worldUrl, ...env },
    })
    const address = { ...servers, namespace: deployment.namespace }
    return new Stage(load, { agents, firstTopic, flows }, deployment, address)
  }

  /** Each agent in two processes. */
  places(): readonly PlacePlan[] {
    const { deployment } = this
    return this.load.processes.flatMap((files) =>
      Array.from({ length: PROCESSES_OF_A_KIND }, (_, index) => ({ name: placeName(files, index), deployment, files })),
    )
  }

  /** Notes commits; a broker that does not answer is looked at the next time. */
  look(): Promise<void> {
    return this.#watch.look()
  }

  /** What is not committed yet. */
  async behind(): Promise<readonly string[]> {
    return (await this.#watch.behind()) ?? ['Kafka does not answer']
  }

  /** What an operator does about events that have cost three processes: they are sent once more. How many there were. */
  async redriveQuarantined(): Promise<number> {
    const args = ['dlq', 'redrive', '--code', 'LABAN_RECORD_QUARANTINED', '--on', 'kafka', '--json']
    const { code, stdout, stderr } = await this.deployment.laban(args)
    if (code !== 0) throw new Error(stderr)
    return (JSON.parse(stdout) as { letters: unknown[] }).letters.length
  }

  /** Reads the log, once all has come to rest. */
  async judge(
    seen: Pick<History, 'calls' | 'interruptions'>,
    disturbances: Disturbances,
    behind: readonly string[],
  ): Promise<Judged> {
    const { load, choreography } = this
    const read = await readLog(this.#address, choreography)
    // The outside world belongs to the one choreography that calls it.
    const calls = load.callsWorld ? seen.calls : []
    const history: History = { ...read, samples: this.#watch.samples, interruptions: seen.interruptions, calls }
    const violations = check(choreography, history)
    const figures = figuresOf(history, disturbances)
    return { name: load.name, flows: choreography.flows, figures, violations, behind }
  }

  async close(): Promise<void> {
    await this.#watch.close()
    await this.deployment.stop()
  }
}

/** Notes commits of all stages for a while. */
export async function lookNowAndThen(stages: readonly Stage[], forMs: number, signal: AbortSignal): Promise<void> {
  const untilMs = Date.now() + forMs
  while (Date.now() < untilMs) {
    for (const stage of stages) await stage.look()
    await pause(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** What is not committed, by stage, when all has ended or patience has. Twice in a row nothing: what one look has passed may go on. */
export async function untilQuiet(
  stages: readonly Stage[],
  patienceMs: number,
): Promise<readonly (readonly string[])[]> {
  const deadlineAtMs = Date.now() + patienceMs
  for (let quietLooks = 0; ;) {
    for (const stage of stages) await stage.look()
    const behind = await Promise.all(stages.map((stage) => stage.behind()))
    quietLooks = behind.flat().length === 0 ? quietLooks + 1 : 0
    if (quietLooks > 1 || Date.now() > deadlineAtMs) return behind
    await pause(LOOK_EVERY_MS)
  }
}

function placeName(files: readonly string[], index: number): string {
  return `${files.map((file) => file.slice(file.lastIndexOf('/') + 1)).join('+')}#${index + 1}`
}
