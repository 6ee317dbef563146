/** What all runs of a simulation share: agents, contracts and a codec that is made once, because making it takes longer than a run. */
import type { EventCodec } from '../../../contracts/codec.ts'
import type { ContractSet } from '../../../contracts/contract-set.ts'
import type { Agent } from '../../agent.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Store } from '../../ports/claim-store.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Finding, History } from '../invariants/history.ts'
import type { Honesty } from './honesty.ts'
import type { FirstEventSample } from './load.ts'
import type { Random } from './random.ts'

/** Puts other ports in place of a process's own. */
export interface Tamper {
  readonly broker?: (broker: Broker) => Broker
  readonly store?: (store: Store) => Store
}

/** See the file's head. */
export interface Scene {
  readonly agents: readonly Agent[]
  readonly contracts: ContractSet
  readonly codec: EventCodec
  readonly schemaIds: ReadonlyMap<string, number>
  readonly log: Logger
  readonly honesty: Honesty
  /** Processes that run all agents; faults add to them and take away. */
  readonly processes: number
  readonly flows: number
  /** First events are spread over so long. */
  readonly withinMs: number
  /** Draws the first event of a flow. */
  readonly next: (random: Random, flow: number) => FirstEventSample
  /** Draws how long a handling takes, ms. */
  readonly handlerMs: (random: Random) => number
  /** Breaks the runtime on purpose: tests show with it that the judge sees it. */
  readonly tamper?: Tamper
  /** What the user expects of the flows. */
  readonly expectations: (history: History) => readonly Finding[]
}
