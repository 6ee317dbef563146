/** A bad day: what is done to a scene from outside, and what must be seen while it lasts and after it. */
import { waitFor } from '../../harness/wait.ts'
import { steadyMs, type Scene, type Verdict } from './scene.ts'
import type { Seen } from './health-watch.ts'

/** Where a day takes place; closed after the scene. */
export interface Place {
  readonly scene: Scene
  close(): Promise<void>
}

/** See the file's head. */
export interface Day<P extends Place = Place> {
  /** Servers of its own, and the scene on them. */
  set(random: () => number): Promise<P>
  /** Begins the bad day, waits as long as it is to last, ends it. */
  befall(place: P): Promise<Befallen>
  /** Whether `/ready` must have said so. @default true */
  readonly isSeen?: boolean
  /** What the log or the problems of `/ready` must have said. @default nothing */
  readonly says?: readonly RegExp[]
  /** Work goes on so long after its end at most. */
  readonly resumesWithinMs: number
}

/** When it took place, by the clock of {@link steadyMs}. */
export interface Befallen {
  readonly beganAtMs: number
  readonly endedAtMs: number
  /** More that was found. */
  readonly notes?: readonly string[]
  /** What did not hold while it lasted. */
  readonly violations?: readonly string[]
  /** Processes that could answer meanwhile. @default all */
  readonly isAsked?: (pid: number) => boolean
  /** Of a process that was gone for a while: nothing is expected of the time to its return. */
  readonly isWork?: (pid: number) => boolean
}

/** What one day has shown. */
export interface DayReport extends Verdict, Seen {
  readonly lastedMs: number
  /** From its end until the next handler began. */
  readonly resumedMs: number
  /** From its end until every process was ready. */
  readonly readyMs: number
  readonly notes: readonly string[]
}

/** Spends a day and closes everything. */
async function spend<P extends Place>(day: Day<P>, random: () => number): Promise<DayReport> {
  const place = await day.set(random)
  const { scene } = place
  try {
    scene.health.mark()
    const befallen = await day.befall(place)
    const { beganAtMs, endedAtMs, notes = [], isAsked, isWork = () => true } = befallen
    const next = await waitFor(() => scene.runs().find(({ atMs, pid }) => atMs > endedAtMs && isWork(pid)), {
      timeoutMs: 180_000,
      what: 'work to go on',
    })
    const resumedMs = next.atMs - endedAtMs
    const readyAtMs = await waitFor(() => scene.health.readySinceMs, { timeoutMs: 180_000, what: 'all to be ready' })
    // For a while it must stay well.
    const untilMs = steadyMs() + 5_000
    await waitFor(() => steadyMs() > untilMs, { timeoutMs: 6_000 })
    await scene.settle()
    const seen = scene.health.seen(beganAtMs, isAsked)
    const verdict = await scene.judge()
    const violations = [...verdict.violations, ...(befallen.violations ?? []), ...broken(day, seen, resumedMs)]
    const readyMs = Math.max(0, readyAtMs - endedAtMs)
    return { ...verdict, ...seen, violations, lastedMs: endedAtMs - beganAtMs, resumedMs, readyMs, notes }
  } catch (error) {
    const { said, problems } = scene.health.seen(0)
    throw new Error([String(error), scene.progress, ...problems, ...said].join('\n  '), { cause: error })
  } finally {
    await scene.close()
    await place.close()
  }
}

/** Spends one day and reports. */
export type SpendDay = (random: () => number) => Promise<DayReport>

/** A day as something that can be spent. */
export function spending<P extends Place>(day: Day<P>): SpendDay {
  return (random) => spend(day, random)
}

function broken(
  { isSeen = true, says = [], resumesWithinMs }: Pick<Day, 'isSeen' | 'says' | 'resumesWithinMs'>,
  seen: Seen,
  resumedMs: number,
): readonly string[] {
  const texts = [...seen.said, ...seen.problems]
  return [
    ...(seen.notLive > 0 ? [`/live failed ${seen.notLive} times`] : []),
    ...(isSeen && seen.notReadyAfterMs === undefined ? ['/ready never said that something is wrong'] : []),
    ...says.filter((pattern) => !texts.some((text) => pattern.test(text))).map((pattern) => `nobody said ${pattern}`),
    ...(resumedMs > resumesWithinMs ? [`work went on only after ${resumedMs} ms`] : []),
  ]
}

/** Begins something, keeps it for so long, ends it. */
export async function lasting(
  forMs: number,
  begin: () => unknown,
  end: () => unknown,
): Promise<{ readonly beganAtMs: number; readonly endedAtMs: number }> {
  const beganAtMs = steadyMs()
  await begin()
  await waitFor(() => steadyMs() - beganAtMs > forMs, { timeoutMs: forMs + 60_000, what: 'the day to end' })
  await end()
  return { beganAtMs, endedAtMs: steadyMs() }
}
