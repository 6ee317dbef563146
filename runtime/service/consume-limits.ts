/** How much one member of a consumer group takes on, and how it keeps its place in the group. */
export interface ConsumeLimits {
  readonly maxOpen: number
  readonly maxOpenBytes: number
  readonly commitIntervalMs: number
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}
