/**
 * What a diagnosis looks at, each thing once: groups, commits, claims, leases, dead letters. A server that does not answer soon is
 * noted as away, and everything else is looked at all the same.
 */
import { retryGroup } from '../../contracts/agent-topics.ts'
import { describeUnknown, isLabanError } from '../../contracts/errors.ts'
import type { ContractSet } from '../../contracts/contract-set.ts'
import type { Manifest } from '../../contracts/manifest.ts'
import type { AgentSeen, GroupSeen, LeaseSeen, PartitionSeen, ServerSeen } from '../../tracing/diagnose/observations.ts'
import { decodeOffsetMap, emptyRanges, type OffsetRanges } from '../consume/offset-map.ts'
import type { Broker, OffsetCommit } from '../ports/broker.ts'
import type { Store } from '../ports/claim-store.ts'
import { delay, settledWithin, type Clock } from '../ports/clock.ts'
import { readDeadLetters, type DeadLetter } from '../readback/dead-letters.ts'
import type { LogSource } from '../readback/platform-records.ts'

/** What is looked with. */
export interface LookoutOptions extends LogSource {
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  readonly contracts: ContractSet
  readonly clock: Clock
  /** Opens the store; undefined where claims cannot be asked about. */
  readonly store: (() => Promise<Store>) | undefined
  /** Announcements that are already read. */
  readonly manifests: readonly Manifest[]
}

/** How far a group has come in one partition. */
export interface Progress {
  readonly startOffset: number
  readonly endOffset: number
  readonly committed: number | null
  readonly finished: OffsetRanges
}

/** What is compared to see whether anything moves. */
interface TwoLooks {
  readonly before: ReadonlyMap<string, Progress>
  readonly after: ReadonlyMap<string, Progress>
  readonly overMs: number
}

/** A server that has not answered by then counts as away: a diagnosis must not wait for what it is to name. */
const ANSWER_WITHIN_MS = 1_500
/** Commits come every second: between two looks at least one must have come. */
const BETWEEN_LOOKS_MS = 1_300
const SHOWN_INSTANCES = 50

/** See the file's head. One per diagnosis, or per list of diagnoses. */
export class Lookout {
  readonly options: LookoutOptions
  readonly unseen = new Set<string>()
  #store: Promise<{ readonly store: Store | undefined; readonly seen: ServerSeen }> | undefined
  readonly #progress = new Map<string, Promise<ReadonlyMap<string, Progress>>>()
  readonly #second = new Map<string, Promise<ReadonlyMap<string, Progress>>>()
  readonly #looks = new Map<string, Promise<unknown>>()
  readonly #firstLookMs = new Map<string, number>()

  readonly #earlier: Lookout | undefined

  /** `earlier` is a look that was taken before: what has moved since then need not be waited for. */
  constructor(options: LookoutOptions, earlier?: Lookout) {
    this.options = options
    this.#earlier = earlier
  }

  /** The store, and whether it answers. */
  store(): Promise<{ readonly store: Store | undefined; readonly seen: ServerSeen }> {
    this.#store ??= this.#openStore()
    return this.#store
  }

  /** Asks the store; undefined when it cannot be asked. Notes that it is away. */
  async ask<T>(question: (store: Store) => Promise<T>): Promise<T | undefined> {
    const { store } = await this.store()
    if (store === undefined) return undefined
    try {
      return await this.#within(question(store), 'the store')
    } catch (error) {
      this.#store = Promise.resolve({ store: undefined, seen: { state: 'away', problem: problemOf(error) } })
      return undefined
    }
  }

  async #openStore(): Promise<{ readonly store: Store | undefined; readonly seen: ServerSeen }> {
    const { store } = this.options
    if (store === undefined) return { store: undefined, seen: { state: 'unasked' } }
    try {
      return { store: await this.#within(store(), 'the store'), seen: { state: 'ok' } }
    } catch (error) {
      if (isLabanError(error) && !error.code.startsWith('LABAN_STORE_') && error.code !== 'LABAN_CONFIG_INVALID')
        throw error
      if (isLabanError(error) && error.code === 'LABAN_CONFIG_INVALID') {
        this.unseen.add('No store is configured here, so claims and leases were not looked at.')
        return { store: undefined, seen: { state: 'unasked' } }
      }
      return { store: undefined, seen: { state: 'away', problem: problemOf(error) } }
    }
  }

  async #within<T>(call: Promise<T>, what: string): Promise<T> {
    let hasSettled = false
    const settle = (): void => {
      hasSettled = true
    }
    call.then(settle, settle)
    await settledWithin(call, { clock: this.options.clock, withinMs: ANSWER_WITHIN_MS })
    if (hasSettled) return call
    throw new SlowServerError(`${what} has not answered within ${ANSWER_WITHIN_MS} ms`)
  }

  /** Leases of the newest instances of these agents that have not stopped. */
  async leases(agents: ReadonlySet<string>): Promise<ReadonlyMap<string, LeaseSeen>> {
    const instances = [
      ...new Set(
        this.options.manifests
          .filter(({ agent, state }) => agents.has(agent) && state !== 'stopped')
          .toSorted((a, b) => b.seenAtMs - a.seenAtMs)
          .map(({ instance }) => instance),
      ),
    ].slice(0, SHOWN_INSTANCES)
    const looked = await this.ask((store) => store.leases.look(instances))
    if (looked === undefined) return new Map()
    return new Map(
      instances.map((instance, index) => {
        const { remainingMs = null, note = '' } = looked[index] ?? {}
        return [instance, { remainingMs, problems: readNote(note) }]
      }),
    )
  }

  /** The agent's groups and, where `topics` are given, how far it has come in them. */
  async agent(agent: string, topics: readonly string[], mayWait: boolean): Promise<AgentSeen> {
    const [group, retryGroupSeen, memory, partitions] = await Promise.all([
      this.#group(agent),
      this.#group(retryGroup(agent)),
      this.#once(`memory ${agent}`, () => this.ask(async (store) => ({ memory: await store.viewOf(agent).memory() }))),
      this.#partitions(agent, topics, mayWait),
    ])
    return {
      group,
      retryGroup: retryGroupSeen,
      partitions,
      usual: null,
      isRecovered: memory === undefined ? null : (memory.memory?.isRecovered ?? false),
    }
  }

  /** How far the group has come, by `topic/partition`, as of the first look. */
  progress(agent: string, topic: string): Promise<ReadonlyMap<string, Progress>> {
    const name = `${agent} ${topic}`
    const known = this.#progress.get(name)
    if (known !== undefined) return known
    this.#firstLookMs.set(name, this.options.clock.steadyMs())
    const looking = this.#look(agent, topic)
    this.#progress.set(name, looking)
    return looking
  }

  /** Dead letters of an agent, newest state of each. */
  deadLetters(agent: string): Promise<readonly DeadLetter[]> {
    return this.#once(`dead letters ${agent}`, () => readDeadLetters(this.options, agent))
  }

  /** Remembers one look by its name. */
  #once<T>(name: string, look: () => Promise<T>): Promise<T> {
    const known = this.#looks.get(name)
    if (known !== undefined) return known as Promise<T>
    const looking = look()
    this.#looks.set(name, looking)
    return looking
  }

  async #group(group: string): Promise<GroupSeen | null> {
    return this.#once(`group ${group}`, async () => {
      try {
        const { state, members } = await this.options.broker.admin.describeGroup(group)
        return { state, members }
      } catch (error) {
        this.unseen.add(`Group ${group} was not seen: ${problemOf(error)}`)
        return null
      }
    })
  }

  async #partitions(agent: string, topics: readonly string[], mayWait: boolean): Promise<Map<string, PartitionSeen>> {
    const partitions = new Map<string, PartitionSeen>()
    for (const topic of topics) {
      const { before, after, overMs } = await this.#twoLooks(agent, topic, mayWait)
      for (const [place, at] of after) {
        const earlier = before.get(place) ?? at
        const moved = Math.max(0, finishedOf(at) - finishedOf(earlier))
        const { startOffset, endOffset, committed, finished } = at
        const finishedAbove = finished.countFrom(committed ?? startOffset)
        partitions.set(place, { startOffset, endOffset, committed, finishedAbove, moved, overMs })
      }
    }
    return partitions
  }

  /** Two looks at one topic, where something waits to be read; else the same one twice. */
  async #twoLooks(agent: string, topic: string, mayWait: boolean): Promise<TwoLooks> {
    const now = await this.progress(agent, topic)
    const [earlier, earlierMs] = (await this.#earlier?.looked(agent, topic)) ?? []
    const { clock } = this.options
    if (earlier !== undefined && earlierMs !== undefined) {
      return { before: earlier, after: now, overMs: clock.steadyMs() - earlierMs }
    }
    const hasLag = [...now.values()].some((at) => unfinished(at) > 0)
    if (!mayWait || !hasLag) return { before: now, after: now, overMs: 0 }
    const after = await this.#later(agent, topic)
    return { before: now, after, overMs: clock.steadyMs() - (this.#firstLookMs.get(`${agent} ${topic}`) ?? 0) }
  }

  /** The first look at a topic and when it was taken, if it is old enough to compare with. */
  async looked(agent: string, topic: string): Promise<[ReadonlyMap<string, Progress>, number] | undefined> {
    const name = `${agent} ${topic}`
    const atMs = this.#firstLookMs.get(name)
    const looking = this.#progress.get(name)
    if (looking === undefined || atMs === undefined) return undefined
    return this.options.clock.steadyMs() - atMs < BETWEEN_LOOKS_MS ? undefined : [await looking, atMs]
  }

  /** A second look, late enough to see whether anything moves. */
  #later(agent: string, topic: string): Promise<ReadonlyMap<string, Progress>> {
    const name = `${agent} ${topic}`
    const known = this.#second.get(name)
    if (known !== undefined) return known
    const { clock } = this.options
    const sinceMs = clock.steadyMs() - (this.#firstLookMs.get(name) ?? clock.steadyMs())
    const looking = delay(clock, Math.max(0, BETWEEN_LOOKS_MS - sinceMs)).then(() => this.#look(agent, topic))
    this.#second.set(name, looking)
    return looking
  }

  async #look(agent: string, topic: string): Promise<ReadonlyMap<string, Progress>> {
    const { admin } = this.options.broker
    const [commits, ends] = await Promise.all([admin.groupOffsets(agent, [topic]), admin.offsets(topic)])
    return new Map(
      ends.map(({ partition, startOffset, endOffset }) => {
        const commit = commits.find((each) => each.partition === partition)
        return [`${topic}/${partition}`, { startOffset, endOffset, ...committedOf(commit) }]
      }),
    )
  }
}

function committedOf(commit: OffsetCommit | undefined): Pick<Progress, 'committed' | 'finished'> {
  if (commit === undefined) return { committed: null, finished: emptyRanges }
  return { committed: commit.offset, finished: decodeOffsetMap(commit.metadata, commit.offset) ?? emptyRanges }
}

/** True when the group's commits say that this offset is done with. */
export function isFinishedAt({ committed, finished }: Progress, offset: number): boolean {
  return (committed !== null && offset < committed) || finished.has(offset)
}

/** Records that the group has not finished. */
export function unfinished({ startOffset, endOffset, committed, finished }: Progress): number {
  const from = Math.max(committed ?? startOffset, startOffset)
  return Math.max(0, endOffset - from - finished.countFrom(from))
}

function finishedOf({ committed, startOffset, finished }: Progress): number {
  const from = committed ?? startOffset
  return from + finished.countFrom(from)
}

function readNote(note: string): LeaseSeen['problems'] {
  if (note === '') return {}
  try {
    const value: unknown = JSON.parse(note)
    return typeof value === 'object' && value !== null ? (value as LeaseSeen['problems']) : {}
  } catch {
    // A newer laban may write something else there; that it is alive is what counts.
    return {}
  }
}

function problemOf(error: unknown): string {
  return describeUnknown(error).replace(/\.$/, '')
}

/** Only ever described, never thrown out of here. */
class SlowServerError extends Error {}
