/** Lends a broker to other processes of this machine over HTTP. Only loopback callers that know the token are served. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describeUnknown, isLabanError, LabanError, type ErrorClass } from '../../../contracts/errors.ts'
import type { Appended, Broker, BrokerProducer, LogReader } from '../../ports/broker.ts'
import {
  decodeOutgoing,
  encodeRecord,
  REMOTE_PREFIX,
  REMOTE_VERSION,
  type RemoteCalls,
  type WireLine,
  type WireOutgoing,
} from './wire.ts'

const MAX_BODY_BYTES = 64 * 1_048_576
const STATUS: Readonly<Record<ErrorClass, number>> = { retry: 503, terminal: 422, startup: 422, control: 503, bug: 500 }

/** Who may use the broker. */
export interface ServeOptions {
  /** Bearer token that callers must send; draw it at random for every run. */
  readonly token: string
}

/** Answers one request. It never rejects; a path that is not the broker's gets 404. */
export type BrokerHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** A handler for `node:http` that serves producer, administration and reader of a broker; see `createRemoteBroker`. */
export function serveBroker(broker: Broker, { token }: ServeOptions): BrokerHandler {
  const served = new ServedBroker(broker)
  return async (request, response) => {
    try {
      if (!isLoopback(request.socket.remoteAddress)) return sendError(response, 403, refused('the caller is not local'))
      if (!hasToken(request, token)) return sendError(response, 401, refused('the token is not accepted'))
      await served.answer(request, response)
    } catch (error) {
      if (response.headersSent) response.destroy()
      else sendError(response, statusOf(error), error)
    }
  }
}

class ServedBroker {
  readonly #broker: Broker
  #producer: Promise<BrokerProducer> | undefined
  #sending: Promise<unknown> = Promise.resolve()

  constructor(broker: Broker) {
    this.#broker = broker
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = callOf(request)
    if (call === undefined) return sendError(response, 404, refused(`there is no ${request.method} ${request.url}`))
    const args = await readArguments(request)
    if (call === 'read') return await this.#read(args as Parameters<LogReader['read']>, response)
    const answer = call === 'send' ? await this.#send(args as [readonly WireOutgoing[]]) : await this.#call(call, args)
    sendJson(response, 200, { answer: answer ?? null })
  }

  /** One after the other, as the port asks of whoever holds a producer. */
  #send([records]: [readonly WireOutgoing[]]): Promise<readonly Appended[]> {
    const send = async (): Promise<readonly Appended[]> => {
      const producer = await (this.#producer ??= this.#broker.producer())
      return await producer.send(records.map(decodeOutgoing))
    }
    const sent = this.#sending.then(send, send)
    this.#sending = sent.catch(() => undefined)
    return sent
  }

  async #call(call: string, args: readonly unknown[]): Promise<unknown> {
    const { admin } = this.#broker
    const calls: RemoteCalls = {
      connect: () => this.#broker.connect(),
      partitionFor: async (topic, key) => {
        const producer = await (this.#producer ??= this.#broker.producer())
        return await producer.partitionFor(topic, Buffer.from(key, 'base64'))
      },
      describeTopics: (...given) => admin.describeTopics(...given),
      listTopics: () => admin.listTopics(),
      createTopics: (...given) => admin.createTopics(...given),
      addPartitions: (...given) => admin.addPartitions(...given),
      setTopicConfig: (...given) => admin.setTopicConfig(...given),
      offsets: (...given) => admin.offsets(...given),
      offsetsAt: (...given) => admin.offsetsAt(...given),
      groupOffsets: (...given) => admin.groupOffsets(...given),
      setGroupOffsets: (...given) => admin.setGroupOffsets(...given),
      describeGroup: (...given) => admin.describeGroup(...given),
    }
    if (!Object.hasOwn(calls, call)) throw refused(`it does not know the call ${call}`)
    return await (calls[call as keyof RemoteCalls] as (...given: readonly unknown[]) => Promise<unknown>)(...args)
  }

  async #read([from]: Parameters<LogReader['read']>, response: ServerResponse): Promise<void> {
    const line = async (content: WireLine): Promise<void> => {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      const hasRoom = response.write(`${JSON.stringify(content)}\n`)
      if (!hasRoom && !response.destroyed) await Promise.race([once(response, 'drain'), once(response, 'close')])
    }
    try {
      for await (const records of this.#broker.reader.read(from)) {
        if (response.destroyed) return
        await line({ records: records.map(encodeRecord) })
      }
      await line({ end: true })
    } catch (error) {
      if (!response.headersSent) throw error
      await line({ error: serialize(error) })
    }
    response.end()
  }
}

/** @throws LABAN_FORMAT_TOO_NEW when the caller speaks a newer version */
function callOf(request: IncomingMessage): string | undefined {
  const path = request.url ?? ''
  if (request.method !== 'POST' || !path.startsWith(REMOTE_PREFIX)) return undefined
  const [version, call] = path.slice(REMOTE_PREFIX.length).split('/')
  const found = Number(version?.replace(/^v/, ''))
  if (found > REMOTE_VERSION) {
    throw new LabanError('LABAN_FORMAT_TOO_NEW', {
      what: 'A request from another process',
      found,
      known: REMOTE_VERSION,
    })
  }
  return found >= 1 ? call : undefined
}

async function readArguments(request: IncomingMessage): Promise<readonly unknown[]> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw refused(`a request of more than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  try {
    const args: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (Array.isArray(args)) return args as readonly unknown[]
  } catch {
    // Said below, whatever was wrong with it.
  }
  throw refused('the arguments are not a JSON array')
}

/** Compares digests, so that the time taken says nothing about the token. */
function hasToken(request: IncomingMessage, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`))
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (/^(::ffff:)?127\./.test(address) || address === '::1')
}

function refused(problem: string): LabanError {
  return new LabanError('LABAN_BROKER_REFUSED', { operation: 'a request', topic: 'the control port', problem })
}

function statusOf(error: unknown): number {
  return isLabanError(error) ? STATUS[error.errorClass] : 500
}

function serialize(error: unknown): unknown {
  return isLabanError(error) ? error : new LabanError('LABAN_INVARIANT', { problem: describeUnknown(error) })
}

function sendError(response: ServerResponse, status: number, error: unknown): void {
  sendJson(response, status, { error: serialize(error) })
}

function sendJson(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
}
