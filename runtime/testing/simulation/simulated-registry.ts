/**
 * A process's codec over a registry that can be away. The schemas are all at hand in truth: a process is told to look one up when it meets
 * its id for the first time, and again once the registry has been away.
 */
import type { EventCodec } from '../../../contracts/codec.ts'
import { LabanError } from '../../../contracts/errors.ts'
import { readSchemaId } from '../../../contracts/wire-format.ts'
import type { Life } from './life.ts'
import type { Network } from './network.ts'
import type { VirtualTime } from './virtual-time.ts'

/** The registry of a run. */
export class SimulatedRegistry {
  readonly #time: VirtualTime
  #awayUntilMs = 0
  #outages = 0

  constructor(time: VirtualTime) {
    this.#time = time
  }

  /** No look-up is answered for so long, and nobody remembers any. */
  awayFor(durationMs: number): void {
    this.#awayUntilMs = this.#time.nowMs + durationMs
    this.#outages++
  }

  /** The codec of one process. */
  codecOf(codec: EventCodec, life: Life, network: Network): EventCodec {
    const channel = network.channel(life)
    const known = new Set<number>()
    let outages = 0
    const isKnown = (id: number | string): boolean => {
      if (outages !== this.#outages) known.clear()
      outages = this.#outages
      return typeof id === 'string' || known.has(id)
    }
    return {
      encode: (topic, value) => codec.encode(topic, value),
      decode: (topic, value, where) => {
        const id = readSchemaId(value)
        return isKnown(id) ? codec.decode(topic, value, where) : { loadSchemaId: Number(id) }
      },
      load: async (id) => {
        await network.call(channel, 'registry schema', () => this.#lookUp())
        await codec.load(id)
        known.add(id)
      },
    }
  }

  #lookUp(): Promise<void> {
    if (this.#time.nowMs >= this.#awayUntilMs) return Promise.resolve()
    const problem = 'made unavailable by a fault'
    return Promise.reject(new LabanError('LABAN_REGISTRY_UNAVAILABLE', { url: 'memory', problem }))
  }
}
