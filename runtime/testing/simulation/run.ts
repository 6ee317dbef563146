/**
 * One simulated run: a choreography in memory under virtual time, a plan of faults, and the judgement of what it left on the log. Nothing
 * here waits for real time, and everything that happens follows from the seed and the plan.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describeUnknown } from '../../../contracts/errors.ts'
import { plannedTopic } from '../../../contracts/topic-plan.ts'
import { createMemoryBroker, clusterOf, type MemoryBroker } from '../../adapters/memory/broker.ts'
import { createMemoryStore, type MemoryStore } from '../../adapters/memory/store.ts'
import { ownTopics } from '../../compose.ts'
import type { Agent } from '../../agent.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import { historyOf, type Finding, type History } from '../invariants/history.ts'
import { judge } from '../invariants/judge.ts'
import { DeadLetterClerk } from './dead-letter-clerk.ts'
import { FaultDriver } from './fault-driver.ts'
import type { PlannedFault } from './fault-plan.ts'
import { clockOf, Life } from './life.ts'
import { Load } from './load.ts'
import { Network } from './network.ts'
import { randomStream } from './random.ts'
import type { Scene } from './scene.ts'
import { simulatedAgents } from './simulated-handlers.ts'
import { simulatedBroker } from './simulated-broker.ts'
import { SimulatedProcess, type ProcessHost } from './simulated-process.ts'
import { SimulatedRegistry } from './simulated-registry.ts'
import { Trace } from './trace.ts'
import { VirtualTime } from './virtual-time.ts'
import { Witness } from './witness.ts'
import { WrittenLog } from './written-log.ts'

/** What became of a run. */
export interface RunResult {
  readonly seed: number
  readonly findings: readonly Finding[]
  readonly fired: readonly PlannedFault[]
  readonly crashPoints: readonly string[]
  /** Calls of servers by operation. */
  readonly calls: ReadonlyMap<string, number>
  readonly history: History
  readonly trace: readonly string[]
  /** Names the trace: the same for the same seed. */
  readonly digest: string
  readonly virtualMs: number
}

/** Runs to the end, or to the first thing that makes going on senseless. */
export async function simulateRun(scene: Scene, seed: number, plan: readonly PlannedFault[]): Promise<RunResult> {
  const run = new SimulatedRun(scene, seed)
  return run.play(plan)
}

/** Topics of records that wake or retry a handling. */
const TIMERS = /\.(timers|retry\.[^.]+)$/
/** Longer than any short timer: nothing that is still to come can have been missed. */
const CALM_MS = 120_000
/** Looking whether all is done costs more than a timer. */
const LOOK_EVERY_MS = 500
/** A run takes some ten thousand timers; one that takes so many goes in circles. */
const MOST_TIMERS = 3_000_000
/** The event loop turns only so often: it costs more than what a timer does, and nothing in a run waits for it. */
const TIMERS_PER_TURN = 64
const PARTITIONS_MAX = 3
const SHOWN_PARTITIONS = 5
/** What a supervisor waits before it starts a process again. */
const START_AGAIN_MS = 2_000

/** Resolves when every promise that can be settled is: ticks come after them. */
function nextTick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

class SimulatedRun {
  readonly #scene: Scene
  readonly #seed: number
  readonly #time = new VirtualTime()
  readonly #trace = new Trace(this.#time)
  readonly #registry = new SimulatedRegistry(this.#time)
  readonly #broker: MemoryBroker
  readonly #store: MemoryStore
  readonly #written: WrittenLog
  readonly #witness: Witness
  readonly #network: Network
  readonly #faults: FaultDriver
  readonly #load = new Load()
  readonly #host: ProcessHost
  #clerk: DeadLetterClerk | undefined
  readonly #processes: SimulatedProcess[] = []
  readonly #findings: Finding[] = []
  #started = 0
  #activeAtMs = this.#time.nowMs

  constructor(scene: Scene, seed: number) {
    this.#scene = scene
    this.#seed = seed
    const stream = (purpose: string) => randomStream(seed, purpose)
    const servers: Clock = clockOf(new Life('servers'), this.#time, stream('servers'))
    this.#faults = this.#faultDriver()
    this.#broker = createMemoryBroker({ clock: servers, faults: this.#faults.brokerFaults })
    this.#store = createMemoryStore({ clock: servers })
    this.#written = new WrittenLog(this.#broker, this.#trace, {
      onActivity: () => this.#touch(),
      onDeadLetter: (agent) => this.#clerk?.notice(agent),
    })
    this.#witness = new Witness(this.#written.next)
    this.#network = new Network({
      time: this.#time,
      random: stream('network'),
      trace: this.#trace,
      probe: (life, operation, phase) => this.#faults.atCall(life, operation, phase),
    })
    this.#host = this.#processHost(stream('jitter'))
  }

  async play(plan: readonly PlannedFault[]): Promise<RunResult> {
    const { honesty, processes } = this.#scene
    honesty.begin()
    try {
      await this.#createTopics()
      for (let index = 0; index < processes; index++) this.#start()
      this.#hireClerk()
      await this.#beginLoad()
      this.#faults.begin(plan)
      await this.#driveUntil(() => this.#isAtRest())
      if (this.#findings.length === 0) await this.#leaveAll()
    } finally {
      honesty.end()
      for (const process of this.#processes) process.kill()
    }
    return this.#result()
  }

  #result(): RunResult {
    const { records, commits } = this.#written
    const { runs, calls, entries, wipes } = this.#witness
    const history = historyOf({ records, commits, runs, calls, entries, wipes }, this.#scene)
    const hasEnded = this.#findings.length === 0
    const findings = hasEnded ? [...judge(history), ...this.#scene.expectations(history)] : this.#findings
    return {
      seed: this.#seed,
      findings,
      fired: this.#faults.fired,
      crashPoints: this.#faults.crashPoints,
      calls: this.#network.calls,
      history,
      trace: this.#trace.lines,
      digest: this.#trace.digest,
      virtualMs: this.#time.nowMs - this.#time.beganAtMs,
    }
  }

  #touch(): void {
    this.#activeAtMs = this.#time.nowMs
  }

  /** Lets everything that is ready run, then moves time on, until `isDone` or something is found. */
  async #driveUntil(isDone: () => boolean): Promise<void> {
    let lookAtMs = 0
    let isFrozen = false
    for (;;) {
      await (isFrozen || this.#time.fired % TIMERS_PER_TURN === 0 ? nextTurn() : nextTick())
      if (this.#isHopeless()) return
      if (isFrozen || this.#time.nowMs >= lookAtMs) {
        if (isDone()) return
        lookAtMs = this.#time.nowMs + LOOK_EVERY_MS
        const isCalm = this.#time.nowMs - this.#activeAtMs > CALM_MS
        if (isFrozen || (isCalm && !this.#skip())) return this.#reportStuck()
      }
      isFrozen = !this.#time.fireNext()
    }
  }

  #isHopeless(): boolean {
    const { seen } = this.#scene.honesty
    if (seen !== undefined) {
      const problem = `${seen.agent} used ${seen.what} that the simulation cannot see:\n${seen.stack}`
      this.#findings.push({ invariant: 'honesty', problem })
    } else if (this.#time.fired > MOST_TIMERS) {
      this.#findings.push({ invariant: 'I1', problem: `no end after ${MOST_TIMERS} timers: ${this.#openWork()}` })
    }
    return this.#findings.length > 0
  }

  /** Nothing has happened for long. False when nothing will. */
  #skip(): boolean {
    if (!this.#time.hasLongTimer) return false
    const skippedMs = this.#time.skipIdle()
    this.#store.skipped(skippedMs)
    this.#trace.note(`nothing happens for ${skippedMs} ms`)
    this.#touch()
    return true
  }

  #reportStuck(): void {
    this.#findings.push({ invariant: 'I1', problem: `the choreography does not come to rest: ${this.#openWork()}` })
  }

  #isAtRest(): boolean {
    const isOver = this.#load.isOver && this.#faults.isOver && this.#clerk?.isOver !== false
    return isOver && this.#behind(1).length === 0
  }

  /** Partitions, so many at most, in which a group has not committed all there is. Members tell what it reads: retries are groups of their own. */
  #behind(atMost: number): string[] {
    const cluster = clusterOf(this.#broker)
    const subscribed = new Map(this.#scene.agents.map(({ name, topics }) => [name, new Set(topics)]))
    for (const [name, group] of cluster.groups) {
      const topics = subscribed.get(name) ?? new Set<string>()
      for (const member of group.members) for (const topic of member.topics) topics.add(topic)
      subscribed.set(name, topics)
    }
    const behind: string[] = []
    for (const [name, topics] of subscribed) {
      const group = cluster.group(name)
      for (const topic of topics) {
        for (const log of cluster.topic(topic, 'fetch').partitions) {
          if (log.endOffset === 0) continue
          const committed = group.committed(log)?.offset ?? 0
          if (committed >= log.endOffset) continue
          behind.push(`${name} committed ${committed} of ${log.endOffset} in ${topic}/${log.partition}`)
          if (behind.length === atMost) return behind
        }
      }
    }
    return behind
  }

  #openWork(): string {
    const problems = this.#processes
      .filter((process) => !process.isGone)
      .map(({ life, problems: its }) => {
        return `${life.name}${life.isStalled ? ' (stalled)' : ''}: ${its.join(', ') || 'well'}`
      })
    return [...this.#behind(SHOWN_PARTITIONS), ...problems].join('; ') || 'events or faults are still to come'
  }

  async #leaveAll(): Promise<void> {
    this.#faults.disarm()
    for (const process of this.#processes) process.leave()
    this.#touch()
    await this.#driveUntil(() => this.#processes.every((process) => process.isGone))
  }

  #start(): void {
    this.#touch()
    this.#processes.push(new SimulatedProcess(`p${++this.#started}`, this.#host))
  }

  async #createTopics(): Promise<void> {
    const { agents, contracts } = this.#scene
    await this.#broker.connect()
    const specs = [...contracts.topics.values(), ...ownTopics(agents, contracts)].map(plannedTopic)
    // A few partitions have all that many have: records of several keys side by side, and several to share out.
    await this.#broker.admin.createTopics(
      specs.map((spec) => ({ ...spec, partitions: Math.min(spec.partitions, PARTITIONS_MAX) })),
    )
  }

  /** Time and log of somebody who is no agent. */
  #outsider(name: string): { readonly clock: Clock; readonly broker: Broker } {
    const life = new Life(name)
    const clock = clockOf(life, this.#time, randomStream(this.#seed, name))
    const host = { network: this.#network, trace: this.#trace, connection: this.#broker.connection() }
    return { clock, broker: simulatedBroker({ ...host, life, isHeldBack: () => false }) }
  }

  #hireClerk(): void {
    const { contracts, codec } = this.#scene
    const random = randomStream(this.#seed, 'dead letters')
    this.#clerk = new DeadLetterClerk({ ...this.#outsider('clerk'), contracts, codec, random, trace: this.#trace })
  }

  async #beginLoad(): Promise<void> {
    const { contracts, codec, flows, withinMs, next } = this.#scene
    const { clock, broker } = this.#outsider('publisher')
    const random = randomStream(this.#seed, 'load')
    await this.#load.begin({
      ...{ seed: this.#seed, flows, withinMs, next, random },
      ...{ time: this.#time, clock, broker, contracts, codec },
    })
  }

  #faultDriver(): FaultDriver {
    const { agents, contracts } = this.#scene
    const topics = new Set(agents.flatMap((agent) => agent.topics))
    return new FaultDriver({
      ...{ time: this.#time, trace: this.#trace },
      store: () => this.#store,
      groups: agents.map(({ name }) => name),
      processes: () => this.#processes.filter((process) => !process.isGone),
      start: () => this.#start(),
      partitions: [...topics].flatMap((topic) =>
        Array.from({ length: Math.min(contracts.get(topic).partitions, PARTITIONS_MAX) }, (_, partition) => {
          return { topic, partition }
        }),
      ),
      repeat: (pick) => this.#repeat((topic) => topics.has(topic), pick),
      repeatTimer: (pick) => this.#repeat((topic) => TIMERS.test(topic), pick),
      registry: this.#registry,
      onWipe: () => this.#witness.wiped(this.#time.nowMs),
      onActivity: () => this.#touch(),
    })
  }

  /** Appends a record of some topics a second time, as a producer does that lost an answer. */
  #repeat(isMeant: (topic: string) => boolean, pick: number): boolean {
    const records = this.#written.records.filter(({ topic }) => isMeant(topic))
    const record = records[pick % records.length]
    if (record === undefined) return false
    const { topic, partition, key, value } = record
    const headers = Object.fromEntries(
      Object.entries(record.headers).flatMap(([name, content]) => (content === undefined ? [] : [[name, content]])),
    )
    void this.#broker
      .producer()
      .then((producer) => producer.send([{ topic, partition, key, value, headers }]))
      .catch((error: unknown) => this.#trace.note(`not repeated: ${describeUnknown(error)}`))
    return true
  }

  #processHost(random: ProcessHost['random']): ProcessHost {
    const { contracts, codec, schemaIds, agents, honesty, log } = this.#scene
    const handlers = randomStream(this.#seed, 'handlers')
    return {
      ...{ contracts, codec, schemaIds, random, log },
      ...{ time: this.#time, trace: this.#trace, network: this.#network, store: this.#store },
      registry: this.#registry,
      connection: () => this.#broker.connection(),
      isHeldBack: (position) => this.#faults.isHeldBack(position),
      witness: this.#witness.answered,
      tamper: { broker: (broker) => broker, store: (store) => store, ...this.#scene.tamper },
      agentsOf: (life): readonly Agent[] =>
        simulatedAgents(agents, life, {
          random: handlers,
          trace: this.#trace,
          honesty,
          witness: this.#witness,
          clockOf: (of) => clockOf(of, this.#time, handlers),
          takeSlowMs: () => this.#faults.takeSlowMs(),
          takeFailure: () => this.#faults.takeFailure(),
          drawMs: this.#scene.handlerMs,
          onActivity: () => this.#touch(),
        }),
      startAgain: () => void this.#time.after(START_AGAIN_MS, () => this.#start()),
      onFatal: (life, error) => {
        this.#findings.push({ invariant: 'I1', problem: `${life.name} cannot go on: ${describeUnknown(error)}` })
      },
    }
  }
}
