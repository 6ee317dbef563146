/** A wire between Kafka clients and a broker on which answers get lost: the broker has done the work, and nobody hears of it. */
import { TcpProxy, type WireWatch } from './tcp-proxy.ts'

/**
 * A proxy in front of one broker. Clients reach it by a socket factory, because brokers tell clients their own address; or the broker
 * is one of a test's own and tells this one.
 */
export interface KafkaProxy {
  readonly port: number
  /** Counts the requests of an API that have passed. */
  requests(apiKey: number): number
  /** API keys in the order in which requests passed, connection by connection mixed as they came. */
  readonly log: readonly number[]
  /** Answers that were lost so far. */
  readonly lost: number
  /** Cuts the connection instead of passing the answer to each of the next `count` requests of this API. */
  loseAnswers(apiKey: number, count: number): void
  /** The same for a share of all requests of this API, as `random` has it; a share of 0 ends it. */
  loseShare(apiKey: number, share: number, random: () => number): void
  /** See {@link TcpProxy}. */
  accept(): Promise<void>
  hush(): void
  refuse(): Promise<void>
  close(): Promise<void>
}

/** API keys of the protocol. */
export const API = { produce: 0, fetch: 1, offsetCommit: 8, joinGroup: 11, heartbeat: 12 } as const

/** Size of a frame, then of its API key and version, then its correlation id. */
const SIZE_BYTES = 4
const API_BYTES = 4
const REQUEST_HEAD_BYTES = 12
const ANSWER_HEAD_BYTES = 8

/** Starts a proxy in front of `host:port`. */
export async function startKafkaProxy(target: string): Promise<KafkaProxy> {
  const losses = new Losses()
  const proxy = await TcpProxy.start(`tcp://${target}`, () => losses.watch())
  return {
    port: proxy.port,
    log: losses.log,
    get lost() {
      return losses.lost
    },
    requests: (apiKey) => losses.log.filter((key) => key === apiKey).length,
    loseAnswers: (apiKey, count) => losses.lose(apiKey, count),
    loseShare: (apiKey, share, random) => losses.loseShare(apiKey, share, random),
    accept: () => proxy.accept(),
    hush: () => proxy.hush(),
    refuse: () => proxy.refuse(),
    close: () => proxy.refuse(),
  }
}

/** Which answers are lost, over all connections of a proxy. */
class Losses {
  readonly log: number[] = []
  lost = 0
  readonly #counts = new Map<number, number>()
  readonly #shares = new Map<number, () => boolean>()

  lose(apiKey: number, count: number): void {
    this.#counts.set(apiKey, count)
  }

  loseShare(apiKey: number, share: number, random: () => number): void {
    this.#shares.set(apiKey, () => random() < share)
  }

  watch(): WireWatch {
    const requests = new Heads(REQUEST_HEAD_BYTES)
    const answers = new Heads(ANSWER_HEAD_BYTES)
    const doomed = new Set<number>()
    return {
      sent: (bytes) => {
        for (const head of requests.of(bytes)) {
          if (this.#isLost(head.readInt16BE(SIZE_BYTES))) doomed.add(head.readInt32BE(SIZE_BYTES + API_BYTES))
        }
      },
      mayAnswer: (bytes) => {
        const isDoomed = answers.of(bytes).some((head) => doomed.has(head.readInt32BE(SIZE_BYTES)))
        if (isDoomed) this.lost++
        return !isDoomed
      },
    }
  }

  #isLost(apiKey: number): boolean {
    this.log.push(apiKey)
    const left = this.#counts.get(apiKey) ?? 0
    if (left > 0) this.#counts.set(apiKey, left - 1)
    return left > 0 || this.#shares.get(apiKey)?.() === true
  }
}

/** The first bytes of each frame of a stream, however it is cut into chunks. */
class Heads {
  readonly #headBytes: number
  #head: Buffer = Buffer.alloc(0)
  #skipBytes = 0

  constructor(headBytes: number) {
    this.#headBytes = headBytes
  }

  of(chunk: Buffer): readonly Buffer[] {
    const heads: Buffer[] = []
    for (let at = 0; at < chunk.length;) {
      const skipped = Math.min(this.#skipBytes, chunk.length - at)
      this.#skipBytes -= skipped
      at += skipped
      const taken = chunk.subarray(at, at + this.#headBytes - this.#head.length)
      at += taken.length
      this.#head = Buffer.concat([this.#head, taken])
      if (this.#head.length < this.#headBytes) break
      heads.push(this.#head)
      this.#skipBytes = SIZE_BYTES + this.#head.readInt32BE(0) - this.#headBytes
      this.#head = Buffer.alloc(0)
    }
    return heads
  }
}
