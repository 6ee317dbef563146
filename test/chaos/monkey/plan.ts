/** What the monkey will do and when: all of it follows from the seed, so that a run can be planned again. */
import { between, seeded, type Random } from './random.ts'

/** What is done to an agent's process, or to a server. */
export type ActKind = 'kill' | 'freeze' | 'restart' | 'kafka' | 'redis' | 'wipe' | 'registry'

/** One act. */
export interface Act {
  readonly kind: ActKind
  /** From the begin of the run. */
  readonly atMs: number
  /** Which process, where it is about one; if that one is not there, the next. */
  readonly victim: number
  /** How long a process is frozen or a server is away, or how long the process stays away that was killed. */
  readonly forMs: number
  /** A server is killed by SIGKILL rather than asked to end. */
  readonly isHard: boolean
}

/** How many of each. */
export type ActCounts = Readonly<Record<ActKind, number>>

/** What a run of so many minutes holds: two and a half kills a minute, and a server every other minute, in the end one of each. */
export function actCounts(minutes: number, wipes: number): ActCounts {
  const perMinute = (rate: number, least: number): number => Math.max(least, Math.round(minutes * rate))
  return {
    kill: perMinute(2.5, 2),
    freeze: perMinute(0.5, 1),
    restart: perMinute(0.5, 1),
    kafka: perMinute(0.15, 1),
    redis: perMinute(0.2, 1),
    registry: perMinute(0.15, 1),
    wipe: wipes,
  }
}

const SERVERS: readonly ActKind[] = ['kafka', 'redis', 'wipe', 'registry']
/** The load has begun by then, and what is done last is still met by it. */
const FIRST_SHARE = 0.05
const LAST_SHARE = 0.9

/** All acts in their order. Servers are spread evenly, so that two of them are seldom away together. */
export function planActs(seed: number, durationMs: number, counts: ActCounts): readonly Act[] {
  const random = seeded(seed)
  const span = durationMs * (LAST_SHARE - FIRST_SHARE)
  const kinds = Object.keys(counts) as ActKind[]
  const kindsOf = (isServer: boolean): ActKind[] =>
    kinds
      .filter((kind) => SERVERS.includes(kind) === isServer)
      .flatMap((kind) => Array<ActKind>(counts[kind]).fill(kind))
  const servers = shuffled(kindsOf(true), random)
  const slotMs = span / Math.max(1, servers.length)
  const acts = [
    ...servers.map((kind, index) => ({ kind, atMs: durationMs * FIRST_SHARE + slotMs * (index + random() * 0.6) })),
    ...kindsOf(false).map((kind) => ({ kind, atMs: durationMs * FIRST_SHARE + span * random() })),
  ].map(({ kind, atMs }) => ({
    ...{ kind, atMs: Math.round(atMs), victim: between(random, 0, 1_000_000) },
    ...{ forMs: lengthOf(kind, random, durationMs), isHard: random() < 0.5 },
  }))
  return acts.toSorted((left, right) => left.atMs - right.atMs)
}

/** Some freezes are longer than a lease, some shorter. */
function lengthOf(kind: ActKind, random: Random, durationMs: number): number {
  const longest = durationMs / 4
  if (kind === 'freeze') return Math.min(longest, between(random, 2_000, 25_000))
  if (kind === 'kafka' || kind === 'redis' || kind === 'registry') return Math.min(longest, between(random, 0, 8_000))
  return between(random, 0, 3_000)
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  return list
    .map((item) => ({ item, rank: random() }))
    .toSorted((left, right) => left.rank - right.rank)
    .map(({ item }) => item)
}
