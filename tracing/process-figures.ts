/** What the machine costs the process and the other way round: event loop, CPU, memory. Node measures it; here it is read. */
import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks'
import type { MetricSnapshot } from './metric-snapshot.ts'

const RESOLUTION_MS = 20
/** Several readers share one period, so that none takes the delays from the others. */
const LEAST_PERIOD_MS = 10_000
const NS_PER_S = 1e9
const US_PER_S = 1e6

interface Period {
  readonly delayP99S: number
  readonly delayMaxS: number
  readonly utilization: number
}

/** One per process; `close` ends the measuring. */
export class ProcessFigures {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #utilizationAt: EventLoopUtilization = performance.eventLoopUtilization()
  #beganAtMs = performance.now()
  #last: Period | undefined

  constructor() {
    this.#delay.enable()
  }

  /** Adds the figures of the running period, or of the last one while the running one is young. */
  addTo(snapshot: MetricSnapshot): void {
    const isOver = performance.now() - this.#beganAtMs >= LEAST_PERIOD_MS
    const period = isOver || this.#last === undefined ? this.#read() : worst(this.#last, this.#read())
    if (isOver) this.#begin(period)
    const { user, system } = process.cpuUsage()
    snapshot.set('nodejs.eventloop.delay.p99', {}, period.delayP99S)
    snapshot.set('nodejs.eventloop.delay.max', {}, period.delayMaxS)
    snapshot.set('nodejs.eventloop.utilization', {}, period.utilization)
    snapshot.set('process.cpu.time', {}, (user + system) / US_PER_S)
    snapshot.set('process.memory.usage', {}, process.memoryUsage.rss())
  }

  /** Ends the measuring. */
  close(): void {
    this.#delay.disable()
  }

  #read(): Period {
    // The timer itself is due only every so often; what counts is by how much it was late.
    const late = (ns: number): number => Math.max(0, ns / NS_PER_S - RESOLUTION_MS / 1_000)
    const isEmpty = this.#delay.count === 0
    return {
      delayP99S: isEmpty ? 0 : late(this.#delay.percentile(99)),
      delayMaxS: isEmpty ? 0 : late(this.#delay.max),
      utilization: performance.eventLoopUtilization(this.#utilizationAt).utilization,
    }
  }

  #begin(last: Period): void {
    this.#last = last
    this.#delay.reset()
    this.#utilizationAt = performance.eventLoopUtilization()
    this.#beganAtMs = performance.now()
  }
}

/** A stall must be seen by everybody who reads soon after it. */
function worst(last: Period, running: Period): Period {
  return {
    delayP99S: Math.max(last.delayP99S, running.delayP99S),
    delayMaxS: Math.max(last.delayMaxS, running.delayMaxS),
    utilization: last.utilization,
  }
}
