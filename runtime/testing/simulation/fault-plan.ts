/** Which faults a run suffers, drawn from its seed before it begins: a list that can be shortened to find the smallest one that fails. */
import type { CrashPhase } from './network.ts'
import type { Random } from './random.ts'

/**
 * - `crash`: a process dies at a call, before it is sent or after its effect, and another one starts later.
 * - `stall`: it stands still for a while, often longer than its lease and its session (a zombie).
 * - `leave`, `join`: one ends in good order and comes back; a further one comes for a while.
 * - `expel`: the group expels a living member; it rejoins when it hears of it.
 * - `lost-ack`: a send is appended and its answer lost. `partial`: only some of its partitions are appended. `refuse`: nothing is.
 * - `lost-commit`: a commit is stored and its answer lost, or it is not stored.
 * - `store-away`, `broker-away`: no call is answered for a while. `lost-answers`: calls of the store take effect, their answers are lost.
 * - `wipe`: the store loses its memory.
 * - `registry-away`: schemas cannot be looked up for a while, and what a process knew of them is forgotten.
 * - `clock-jump`: the clock of a process is wrong for a while, by up to three hours in either direction.
 * - `slow`: a handler takes seconds to a minute. `failure`: a handler throws after it has done its work.
 * - `duplicate`: a record is appended again; `duplicate-timer`: one that wakes or retries a handling. `held-back`: nothing of a partition is delivered for a while.
 */
export const FAULT_KINDS = [
  'crash',
  'stall',
  'leave',
  'join',
  'expel',
  'lost-ack',
  'partial',
  'refuse',
  'lost-commit',
  'store-away',
  'broker-away',
  'lost-answers',
  'wipe',
  'registry-away',
  'clock-jump',
  'slow',
  'failure',
  'duplicate',
  'duplicate-timer',
  'held-back',
] as const

/** A kind of fault. */
export type FaultKind = (typeof FAULT_KINDS)[number]

/** A fault of a plan. */
export interface PlannedFault {
  readonly kind: FaultKind
  /** After the run began. */
  readonly atMs: number
  /** How long it lasts, where that means something. */
  readonly forMs: number
  /** How many calls it strikes, or how many are let pass before a crash. */
  readonly count: number
  /** Chooses among what is there when it strikes. */
  readonly pick: number
  readonly phase: CrashPhase
}

/** Longest of each kind. Leases and sessions last 10 s: much has to happen below and above that. */
const LONGEST_MS: Partial<Record<FaultKind, number>> = {
  crash: 20_000,
  stall: 45_000,
  leave: 5_000,
  join: 30_000,
  slow: 60_000,
  'store-away': 25_000,
  'broker-away': 15_000,
  'registry-away': 20_000,
  'clock-jump': 60_000,
  'held-back': 20_000,
}
/** Crashes and stalls are what the protocol is about. */
const WEIGHTS: Partial<Record<FaultKind, number>> = { crash: 6, stall: 2, partial: 2, 'lost-ack': 2, expel: 2 }
const MOST_CALLS = 4
const CALLS_LET_PASS = 60

/** Draws faults that strike within the time in which events arrive. */
export function drawFaults(
  random: Random,
  {
    count,
    kinds,
    withinMs,
  }: { readonly count: number; readonly kinds: readonly FaultKind[]; readonly withinMs: number },
): PlannedFault[] {
  const weighted = kinds.flatMap((kind) => Array.from({ length: WEIGHTS[kind] ?? 1 }, () => kind))
  const faults = Array.from({ length: count }, (): PlannedFault => {
    const kind = random.pick(weighted)
    const longestMs = LONGEST_MS[kind] ?? 0
    return {
      kind,
      atMs: random.between(0, withinMs),
      // Short ones as often as long ones, by order of magnitude.
      forMs: longestMs === 0 ? 0 : Math.floor(longestMs ** random.next()),
      count: kind === 'crash' ? random.between(0, CALLS_LET_PASS) : random.between(1, MOST_CALLS),
      pick: random.between(0, 2 ** 30),
      phase: random.chance(0.5) ? 'before' : 'after',
    }
  })
  return faults.sort((left, right) => left.atMs - right.atMs)
}

const LONGEST_JUMP_MS = 3 * 3_600_000

/** How wrong the clock is in a `clock-jump`, ms: forwards or backwards, small and large by order of magnitude. */
export function jumpMs({ pick }: PlannedFault): number {
  const share = (pick % 1_000) / 1_000
  return Math.floor(LONGEST_JUMP_MS ** share) * (pick % 2 === 0 ? 1 : -1)
}

/** One line for people. */
export function describeFault({ kind, atMs, forMs, count, phase }: PlannedFault): string {
  const lasts = forMs > 0 ? ` for ${forMs} ms` : ''
  if (kind === 'crash') return `crash ${phase} call ${count + 1} from ${atMs} ms on, back after ${forMs} ms`
  return `${kind} at ${atMs} ms${lasts}${lasts === '' && count > 1 ? `, ${count} times` : ''}`
}
