/** A broker that lives in another process of this machine: for publishing into an embedded run and reading it back. */
import { describeUnknown, isLabanError, LabanError, type SerializedError } from '../../../contracts/errors.ts'
import type { Appended, Broker, BrokerAdmin, BrokerProducer, BrokerRecord, LogReader } from '../../ports/broker.ts'
import {
  decodeRecord,
  encodeOutgoing,
  encodeText,
  REMOTE_PREFIX,
  REMOTE_VERSION,
  type RemoteCalls,
  type WireLine,
} from './wire.ts'

/** Where the broker is served, and what opens the door. */
export interface RemoteBrokerOptions {
  /** Address of the control port, such as `http://127.0.0.1:40123`. */
  readonly url: string
  readonly token: string
}

/**
 * Connects to a broker that another process serves with `serveBroker`. Producer, administration and reader work as there;
 * consumers are refused: agents run in the process that holds the log. A call is never repeated: after
 * LABAN_BROKER_UNAVAILABLE a send may have been appended.
 */
export function createRemoteBroker(options: RemoteBrokerOptions): Broker {
  const remote = new RemoteCaller(options)
  return {
    connect: () => remote.call('connect'),
    producer: () => Promise.resolve(producerOn(remote)),
    consumer: ({ group }) => {
      const problem = 'agents run in the process that holds the log; stop that run, or give it the agent file'
      return Promise.reject(new LabanError('LABAN_BROKER_REFUSED', { operation: 'consume', topic: group, problem }))
    },
    admin: adminOn(remote),
    reader: { read: (from) => remote.read(from) },
    close: () => Promise.resolve(remote.close()),
  }
}

function producerOn(remote: RemoteCaller): BrokerProducer {
  let isClosed = false
  return {
    send: async (records) => {
      if (isClosed) throw remote.unavailable('the producer is closed')
      return (await remote.post('send', [records.map(encodeOutgoing)])) as readonly Appended[]
    },
    partitionFor: (topic, key) => remote.call('partitionFor', topic, encodeText(key)),
    close: () => {
      isClosed = true
      return Promise.resolve()
    },
  }
}

function adminOn(remote: RemoteCaller): BrokerAdmin {
  return {
    describeTopics: (...args) => remote.call('describeTopics', ...args),
    listTopics: () => remote.call('listTopics'),
    createTopics: (...args) => remote.call('createTopics', ...args),
    addPartitions: (...args) => remote.call('addPartitions', ...args),
    setTopicConfig: (...args) => remote.call('setTopicConfig', ...args),
    offsets: (...args) => remote.call('offsets', ...args),
    offsetsAt: (...args) => remote.call('offsetsAt', ...args),
    groupOffsets: (...args) => remote.call('groupOffsets', ...args),
    setGroupOffsets: (...args) => remote.call('setGroupOffsets', ...args),
    describeGroup: (...args) => remote.call('describeGroup', ...args),
  }
}

class RemoteCaller {
  readonly #options: RemoteBrokerOptions
  readonly #closing = new AbortController()

  constructor(options: RemoteBrokerOptions) {
    this.#options = options
  }

  async call<M extends keyof RemoteCalls>(
    method: M,
    ...args: Parameters<RemoteCalls[M]>
  ): Promise<Awaited<ReturnType<RemoteCalls[M]>>> {
    return (await this.post(method, args)) as Awaited<ReturnType<RemoteCalls[M]>>
  }

  async post(method: string, args: readonly unknown[]): Promise<unknown> {
    return await this.#reaching(async () => {
      const response = await this.#request(method, args)
      const { answer } = (await response.json()) as { answer: unknown }
      return answer
    })
  }

  async *read(from: Parameters<LogReader['read']>[0]): AsyncGenerator<readonly BrokerRecord[]> {
    const response = await this.#reaching(() => this.#request('read', [from]))
    const lines = linesOf(response.body ?? new ReadableStream<Uint8Array>())
    for (;;) {
      const next = await this.#reaching(() => lines.next())
      if (next.done === true) throw this.unavailable('the answer was cut')
      const line = JSON.parse(next.value) as WireLine
      if ('error' in line) throw LabanError.fromJSON(line.error as SerializedError)
      if ('end' in line) return
      yield line.records.map(decodeRecord)
    }
  }

  close(): void {
    this.#closing.abort()
  }

  unavailable(problem: string, cause?: unknown): LabanError {
    return new LabanError('LABAN_BROKER_UNAVAILABLE', { brokers: this.#options.url, problem }, { cause })
  }

  async #request(method: string, args: readonly unknown[]): Promise<Response> {
    const { url, token } = this.#options
    const response = await fetch(new URL(`${REMOTE_PREFIX}v${REMOTE_VERSION}/${method}`, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(args),
      signal: this.#closing.signal,
    })
    if (response.ok) return response
    const { error } = (await response.json()) as { error: SerializedError }
    throw LabanError.fromJSON(error)
  }

  /** Whatever is not an answer of the other process means that it was not reached. */
  async #reaching<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing.signal.aborted) throw this.unavailable('the connection is closed')
    try {
      return await work()
    } catch (error) {
      if (isLabanError(error)) throw error
      const reason = error instanceof Error && error.cause !== undefined ? error.cause : error
      throw this.unavailable(this.#closing.signal.aborted ? 'the connection is closed' : describeUnknown(reason), error)
    }
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder()
  let parts: string[] = []
  for await (const chunk of stream) {
    const pieces = decoder.decode(chunk, { stream: true }).split('\n')
    parts.push(pieces[0] ?? '')
    for (const piece of pieces.slice(1)) {
      yield parts.join('')
      parts = [piece]
    }
  }
  return undefined
}
