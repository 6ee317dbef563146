/** Makes planned faults happen: some at their time, others at the next call that they fit. Counts those that struck. */
import { FACTS_TOPIC } from '../../../contracts/contract.ts'
import type { BrokerFaults, CommitFault, SendFault } from '../../adapters/memory/faults.ts'
import type { MemoryStore } from '../../adapters/memory/store.ts'
import type { OutgoingRecord, TopicPartition } from '../../ports/broker.ts'
import { describeFault, jumpMs, type PlannedFault } from './fault-plan.ts'
import type { Life } from './life.ts'
import type { CrashPhase } from './network.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { SimulatedRegistry } from './simulated-registry.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What faults act upon. */
export interface FaultTargets {
  readonly time: VirtualTime
  readonly trace: Trace
  readonly store: () => MemoryStore
  readonly groups: readonly string[]
  readonly processes: () => readonly SimulatedProcess[]
  readonly start: () => void
  /** Event partitions. */
  readonly partitions: readonly TopicPartition[]
  /** Appends a record of the log again; false when there is none yet. */
  readonly repeat: (pick: number) => boolean
  /** The same with a record that wakes or retries a handling. */
  readonly repeatTimer: (pick: number) => boolean
  readonly registry: SimulatedRegistry
  /** The store has forgotten everything. */
  readonly onWipe: () => void
  readonly onActivity: () => void
}

/** A fault that waits for a call that it fits. */
interface Armed {
  readonly fault: PlannedFault
  left: number
}

const TRY_AGAIN_MS = 1_000
/** A fault that finds nothing to strike for so often gives up. */
const MOST_TRIES = 20

/** One per run. */
export class FaultDriver {
  readonly fired: PlannedFault[] = []
  /** `operation before|after` of the calls at which processes died. */
  readonly crashPoints: string[] = []
  readonly #targets: FaultTargets
  readonly #armed = new Map<PlannedFault['kind'], Armed[]>()
  readonly #heldUntilMs = new Map<string, number>()
  #brokerAwayUntilMs = 0
  /** Faults that have not struck and may yet, and what they owe: a process to start again, one to wake. */
  #open = 0

  constructor(targets: FaultTargets) {
    this.#targets = targets
  }

  /** True when no fault is under way or to come. */
  get isOver(): boolean {
    const { nowMs } = this.#targets.time
    const isHeld = [...this.#heldUntilMs.values()].some((untilMs) => untilMs > nowMs)
    return this.#open === 0 && this.#brokerAwayUntilMs <= nowMs && !isHeld
  }

  /** Sets the plan in motion. */
  begin(plan: readonly PlannedFault[]): void {
    for (const fault of plan) {
      this.#open++
      this.#targets.time.after(fault.atMs, () => {
        this.#open--
        this.#strike(fault, 0)
      })
    }
  }

  /** Nothing strikes any more; what is under way ends as planned. */
  disarm(): void {
    this.#armed.clear()
  }

  /** Faults of the memory broker. */
  readonly brokerFaults: BrokerFaults = {
    unavailable: () => this.#brokerAwayUntilMs > this.#targets.time.nowMs,
    onSend: (records) => this.#onSend(records),
    onCommit: () => this.#onCommit(),
  }

  /** Whether nothing of a partition is delivered now. */
  isHeldBack({ topic, partition }: TopicPartition): boolean {
    return (this.#heldUntilMs.get(`${topic}/${partition}`) ?? 0) > this.#targets.time.nowMs
  }

  /** Lets the caller die when a crash waits for this call. */
  atCall(life: Life, operation: string, phase: CrashPhase): void {
    const armed = this.#armed.get('crash')?.find(({ fault }) => fault.phase === phase)
    if (armed === undefined) return
    const process = this.#targets.processes().find((candidate) => candidate.life === life)
    if (process === undefined || armed.left-- > 0) return
    this.#disarmOne(armed)
    this.crashPoints.push(`${operation} ${phase}`)
    this.#fire(armed.fault, `${life.name} at ${operation}`)
    process.kill()
    this.#later(armed.fault.forMs, () => this.#targets.start())
  }

  /** Milliseconds that a fault adds to the next handling. */
  takeSlowMs(): number {
    const armed = this.#take('slow')
    return armed === undefined ? 0 : armed.forMs
  }

  /** Whether a fault makes the next handling fail. */
  takeFailure(): boolean {
    return this.#take('failure') !== undefined
  }

  #strike(fault: PlannedFault, tries: number): void {
    this.#targets.onActivity()
    if (this.#strikeNow(fault) || tries > MOST_TRIES) return
    // Not every choreography has timers: what could not strike as one of theirs strikes as another.
    if (tries === MOST_TRIES && fault.kind === 'duplicate-timer')
      return this.#strike({ ...fault, kind: 'duplicate' }, 0)
    this.#later(TRY_AGAIN_MS, () => this.#strike(fault, tries + 1))
  }

  /** False when there is nothing to strike now. */
  #strikeNow(fault: PlannedFault): boolean {
    const { time, store, registry } = this.#targets
    switch (fault.kind) {
      case 'stall':
      case 'leave':
      case 'expel':
      case 'clock-jump':
        return this.#strikeProcess(fault)
      case 'join':
        this.#fire(fault)
        this.#targets.start()
        return true
      case 'store-away':
        store().faults.unavailableFor(fault.forMs)
        break
      case 'lost-answers':
        store().faults.loseAnswers(fault.count)
        break
      case 'wipe':
        store().faults.wipe()
        this.#targets.onWipe()
        break
      case 'registry-away':
        registry.awayFor(fault.forMs)
        break
      case 'broker-away':
        this.#brokerAwayUntilMs = time.nowMs + fault.forMs
        break
      case 'held-back': {
        const at = this.#targets.partitions[fault.pick % this.#targets.partitions.length]
        if (at !== undefined) this.#heldUntilMs.set(`${at.topic}/${at.partition}`, time.nowMs + fault.forMs)
        break
      }
      case 'duplicate':
        if (!this.#targets.repeat(fault.pick)) return false
        break
      case 'duplicate-timer':
        if (!this.#targets.repeatTimer(fault.pick)) return false
        break
      default:
        this.#arm(fault)
        return true
    }
    this.#fire(fault)
    return true
  }

  #strikeProcess(fault: PlannedFault): boolean {
    const up = this.#targets.processes().filter((process) => process.isUp && !process.life.isStalled)
    const process = up[fault.pick % up.length]
    if (process === undefined) return false
    this.#fire(fault, process.life.name)
    if (fault.kind === 'expel') {
      process.expel(this.#targets.groups[fault.pick % this.#targets.groups.length] ?? '')
    } else if (fault.kind === 'clock-jump') {
      process.life.skewMs = jumpMs(fault)
      this.#later(fault.forMs, () => (process.life.skewMs = 0))
    } else if (fault.kind === 'stall') {
      process.stall()
      this.#later(fault.forMs, () => process.wake())
    } else {
      process.leave()
      this.#later(fault.forMs, () => this.#targets.start())
    }
    return true
  }

  #arm(fault: PlannedFault): void {
    const armed = this.#armed.get(fault.kind) ?? []
    armed.push({ fault, left: fault.count })
    this.#armed.set(fault.kind, armed)
  }

  #disarmOne(armed: Armed): void {
    const list = this.#armed.get(armed.fault.kind)
    list?.splice(list.indexOf(armed), 1)
  }

  /** The next fault of a kind that waits for a call; each strikes as often as it is planned to. */
  #take(kind: PlannedFault['kind']): PlannedFault | undefined {
    const armed = this.#armed.get(kind)?.[0]
    if (armed === undefined) return undefined
    if (armed.left === armed.fault.count) this.#fire(armed.fault)
    armed.left--
    if (armed.left <= 0) this.#disarmOne(armed)
    return armed.fault
  }

  #onSend(records: readonly OutgoingRecord[]): SendFault | undefined {
    if (this.#take('refuse') !== undefined) return 'unavailable'
    if (this.#take('lost-ack') !== undefined) return 'lost-ack'
    const partial = this.#armed.get('partial')?.[0]
    if (partial === undefined) return undefined
    const isKept = ({ topic, partition }: { topic: string; partition: number }): boolean => {
      // Facts of one send stay together: their order is what the order of completion is judged by.
      const place = topic === FACTS_TOPIC ? topic : `${topic}/${partition}`
      return (spread(place) ^ (partial.fault.pick >>> 3)) % 2 === 0
    }
    const topics = new Set(records.map(({ topic }) => topic))
    if (records.length < 2 || (topics.size === 1 && topics.has(FACTS_TOPIC))) return undefined
    this.#take('partial')
    return { appendOnly: isKept }
  }

  #onCommit(): CommitFault | undefined {
    const fault = this.#take('lost-commit')
    if (fault === undefined) return undefined
    return fault.phase === 'after' ? 'lost-ack' : 'unavailable'
  }

  #fire(fault: PlannedFault, whom = ''): void {
    this.fired.push(fault)
    this.#targets.trace.note(`! ${describeFault(fault)} ${whom}`.trimEnd())
    this.#targets.onActivity()
  }

  #later(delayMs: number, action: () => void): void {
    this.#open++
    this.#targets.time.after(delayMs, () => {
      this.#open--
      action()
    })
  }
}

/** A number that looks random, from a name. */
function spread(name: string): number {
  let sum = 7
  for (let index = 0; index < name.length; index++) sum = Math.imul(sum ^ name.charCodeAt(index), 16_777_619) >>> 0
  return sum >>> 5
}
