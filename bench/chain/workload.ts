/** What a worker has to do: how its handlers behave, which stages it runs, how its topics are cut. */

export interface Workload {
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
  waitMs: 0,
  partitions: 6,
  stages: [0, 1, 2],
  maxInFlight: 1_000,
  maxOpen: 6_667,
  keys: null,
}
