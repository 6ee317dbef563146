/** What a worker has to do: how its handlers behave, which stages it runs, how its topics are cut. */

/** What a handler does before it publishes. The last three record one result. */
export type HandlerWork = 'nothing' | 'turn' | 'step' | 'durable step' | 'effect'

export interface Workload {
  /** Besides waiting. A `turn` is an await of nothing: the handler is asynchronous. */
  readonly does: HandlerWork
  /** Each handler waits for so long before it answers; 0: it answers at once. */
  readonly waitMs: number
  /** Partitions of every topic. */
  readonly partitions: number
  /** Stages of the chain that run, by their index. */
  readonly stages: readonly number[]
  /** Handlers of one agent that run at once. */
  readonly maxInFlight: number
  /** Open records of one agent. */
  readonly maxOpen: number
  /** First events have so many different keys; null: each its own, the flow's id. */
  readonly keys: number | null
}

/** The chain as `laban run` has it by default: 1,000 handlers an agent, 20,000 open records shared by three agents. */
export const CHAIN_WORKLOAD: Workload = {
  does: 'nothing',
  waitMs: 0,
  partitions: 6,
  stages: [0, 1, 2],
  maxInFlight: 1_000,
  maxOpen: 6_667,
  keys: null,
}
