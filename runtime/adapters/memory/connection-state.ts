/** Whether a connection still works: after a crash its calls never settle and have no effect, as those of a killed process. */
import type { Cluster } from './cluster.ts'
import { unavailable } from './refusals.ts'

/** The state that everything made by one connection shares. */
export class ConnectionState {
  readonly cluster: Cluster
  /** The process stands still (SIGSTOP): it answers nobody. */
  isStalled = false
  #state: 'open' | 'closed' | 'crashed' = 'open'

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isCrashed(): boolean {
    return this.#state === 'crashed'
  }

  end(how: 'closed' | 'crashed'): void {
    if (this.#state === 'open') this.#state = how
  }

  /**
   * Does `work` at once and answers later. @throws what `work` throws; LABAN_BROKER_UNAVAILABLE when closed or by a fault
   */
  async call<T>(work: () => T): Promise<T> {
    if (this.isCrashed) return never()
    if (!this.isOpen) throw unavailable('the connection is closed')
    if (this.cluster.isUnavailable()) throw unavailable('the broker does not answer')
    const answer = work()
    await Promise.resolve()
    return this.isCrashed ? never() : answer
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined)
}
