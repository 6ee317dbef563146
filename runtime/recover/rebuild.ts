/**
 * Reads what the log says of one agent and puts it into the store: what has ended, what was handed over, what was journaled or published,
 * and who waits for a join. Everything is read in the order in which it was written, twice: what comes while the first look is under
 * way is found by the second, which begins once every process has had time to tell what it holds.
 */
import type { EventCodec } from '../../contracts/codec.ts'
import { agentTopic, FACTS_TOPIC } from '../../contracts/contract.ts'
import type { Agent } from '../agent.ts'
import type { Broker } from '../ports/broker.ts'
import type { Clock } from '../ports/clock.ts'
import type { RecoveryStore } from '../ports/recovery-store.ts'
import { retryGroup } from '../../contracts/agent-topics.ts'
import { putBackEnded } from './ended.ts'
import { HandedOver } from './handed-over.ts'
import { Journaled } from './journaled.ts'
import { LogScan, type Origin, type ScanProgress } from './log-scan.ts'
import { putBackPublished } from './published.ts'
import { PutBack, type PutBackCounts } from './put-back.ts'
import { committedOrigins, oldestUnfinishedMs, WITHOUT_COMMIT_MS, type Committed } from './unfinished.ts'
import { putBackMembers } from './waiting-members.ts'

export interface RebuildOptions {
  readonly agent: Agent
  readonly broker: Pick<Broker, 'admin' | 'reader'>
  readonly store: RecoveryStore
  readonly codec: EventCodec
  readonly clock: Clock
  readonly onProgress: (progress: ScanProgress) => Promise<void>
}

/** Clocks of machines differ, and a record is stamped by who sends it. */
const CLOCK_MARGIN_MS = 60_000

/** See the file's head. One per recovery: {@link look} twice. */
export class Rebuild {
  readonly #options: RebuildOptions
  readonly #scan: LogScan
  readonly #putBack: PutBack
  readonly #handedOver: HandedOver
  readonly #journaled: Journaled
  #committed: { readonly own: Committed; readonly retry: Committed } | undefined

  constructor(options: RebuildOptions) {
    const { agent, broker, store, onProgress } = options
    this.#options = options
    this.#scan = new LogScan({ broker, onProgress })
    this.#putBack = new PutBack(store)
    this.#handedOver = new HandedOver(agent, this.#scan, this.#putBack)
    this.#journaled = new Journaled(agent, this.#scan, this.#putBack)
  }

  get counts(): PutBackCounts {
    return this.#putBack.counts
  }

  /** Puts back what the log says, or what has come since the last look. */
  async look(): Promise<void> {
    const { agent, broker, clock, codec } = this.#options
    const scan = this.#scan
    const putBack = this.#putBack
    this.#committed ??= {
      own: await committedOrigins(broker, agent.name, agent.topics),
      retry: await committedOrigins(broker, retryGroup(agent.name), this.#handedOver.topics),
    }
    const { own, retry } = this.#committed
    const inHand = await this.#handedOver.read((topic) => retry.get(topic) ?? NO_ORIGIN)
    const nowMs = clock.nowMs()
    const unfinishedMs = await oldestUnfinishedMs({ scan, topics: agent.topics, committed: own, nowMs })
    const underWayMs = Math.min(unfinishedMs, inHand.underWayMs) - CLOCK_MARGIN_MS
    const since = async (topic: string, atMs: number): Promise<Origin> =>
      Number.isFinite(atMs) ? scan.since(topic, atMs) : scan.end(topic)

    const isNew = own.size === 0 && retry.size === 0
    const remembersMs = Math.max(agent.dedupMs, agent.isJoin ? agent.joinWithinMs : 0)
    const rememberedMs = nowMs - (isNew ? Math.min(remembersMs, WITHOUT_COMMIT_MS) : remembersMs)
    const factsSinceMs = Math.min(rememberedMs, underWayMs)
    const onBuried = (place: string): void => this.#handedOver.tell(place)
    await putBackEnded({ agent, scan, putBack, codec, onBuried }, await since(FACTS_TOPIC, factsSinceMs))
    await this.#handedOver.putBackLetters(factsSinceMs)
    const journalMs = Math.min(underWayMs, inHand.oldestMs - CLOCK_MARGIN_MS)
    await this.#journaled.read(await since(agentTopic(agent.name, 'journal'), journalMs), underWayMs, inHand.ids)
    for (const topic of [...agent.always, ...agent.oneOf, ...agent.maybe])
      await putBackPublished({ agent, scan, putBack }, topic, await since(topic, underWayMs))
    const waiting = agentTopic(agent.name, 'waiting')
    await putBackMembers(agent, scan, putBack, await since(waiting, nowMs - agent.joinWithinMs))
  }
}

const NO_ORIGIN: Origin = new Map()
