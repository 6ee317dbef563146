/**
 * Any registry with the Confluent API (Confluent, Apicurio's ccompat, Karapace). Schemas by id, references included, come
 * through @kafkajs/confluent-schema-registry; look-up, registration and checks are our own calls, because the client sets a
 * subject's compatibility after registering and checks one version only.
 */
import type { Agent } from 'node:http'
import { SchemaRegistry as ConfluentClient } from '@kafkajs/confluent-schema-registry'
import { canonicalSchema } from './canonical-schema.ts'
import { checkFullTransitive } from './compatibility.ts'
import type { AvroSchema } from './contract.ts'
import { isDistrust } from './distrust.ts'
import { describeUnknown, LabanError } from './errors.ts'
import { agentFor, authorizationOf, sendHttp, type RegistryAccess } from './registry-http.ts'
import type { RegisteredVersion, SchemaRegistry } from './registry.ts'

/** Options of {@link createConfluentRegistry}. */
export interface ConfluentRegistryOptions extends RegistryAccess {
  /** Base address, for Apicurio with `/apis/ccompat/v7`. */
  readonly url: string
  /** Longest wait for one answer. @default 10000 */
  readonly timeoutMs?: number
}

/** A client of a registry server; it connects at the first call and keeps nothing open. */
export function createConfluentRegistry(options: ConfluentRegistryOptions): SchemaRegistry {
  return new ConfluentRegistry(options)
}

const COMPATIBILITY = 'FULL_TRANSITIVE'
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
const DEFAULT_TIMEOUT_MS = 10_000
/** Answers that say nothing about the request itself: another try may succeed. */
const isAnswer = (status: number): boolean => status < 500 && ![408, 429].includes(status)
/** The login is wrong or may not do this: an operator's to correct. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403])

/** The JSON answer of a call that reached the registry. */
interface Answer {
  readonly status: number
  readonly body: unknown
}

class ConfluentRegistry implements SchemaRegistry {
  private readonly url: string
  private readonly timeoutMs: number
  private readonly access: RegistryAccess
  private readonly agent: Agent
  private readonly client: ConfluentClient

  constructor({ url, timeoutMs = DEFAULT_TIMEOUT_MS, ...access }: ConfluentRegistryOptions) {
    this.url = url.replace(/\/+$/, '')
    this.timeoutMs = timeoutMs
    this.access = access
    this.agent = agentFor(this.url, access)
    // The client has neither a time-out of its own nor a login that may change.
    const prepare = (): { timeout: number; headers: Record<string, string> } => ({
      timeout: timeoutMs,
      headers: authorizationOf(access),
    })
    this.client = new ConfluentClient({
      host: this.url,
      clientId: 'laban',
      agent: this.agent,
      // Callers retry with their own backoff.
      retry: { retries: 0 },
      middlewares: [() => ({ prepareRequest: async (next) => (await next()).enhance(prepare()) })],
    })
  }

  async schemaById(schemaId: number): Promise<AvroSchema> {
    let found: Awaited<ReturnType<ConfluentClient['getSchema']>>
    try {
      found = await this.client.getSchema(schemaId)
    } catch (error) {
      const status = statusOf(error)
      if (status === 404) throw new LabanError('LABAN_CONTRACT_UNKNOWN_SCHEMA', { schemaId }, { cause: error })
      if (status !== undefined && REFUSALS.has(status)) throw this.refused(`HTTP ${status}`)
      if (status !== undefined) throw this.unavailable(error)
      throw new LabanError('LABAN_CONTRACT_UNKNOWN_SCHEMA', { schemaId }, { cause: error })
    }
    if (!isAvscType(found)) {
      throw new LabanError('LABAN_CONTRACT_UNKNOWN_SCHEMA', { schemaId }, { cause: 'it is not an Avro schema' })
    }
    return JSON.parse(JSON.stringify(found.schema({ exportAttrs: true }))) as AvroSchema
  }

  async lookup(subject: string, schemaText: string): Promise<number | undefined> {
    const answer = await this.call('POST', `/subjects/${encodeURIComponent(subject)}`, { schema: schemaText })
    if (answer.status === 404) return undefined
    return this.idOf(answer, subject)
  }

  async register(subject: string, schemaText: string): Promise<number> {
    const config = `/config/${encodeURIComponent(subject)}`
    this.expectOk(await this.call('PUT', config, { compatibility: COMPATIBILITY }))
    const answer = await this.call('POST', `/subjects/${encodeURIComponent(subject)}/versions`, { schema: schemaText })
    if (answer.status === 409) throw await this.incompatible(subject, schemaText, answer)
    return this.idOf(answer, subject)
  }

  async versions(subject: string): Promise<readonly RegisteredVersion[]> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`
    const answer = await this.call('GET', path)
    if (answer.status === 404) return []
    const numbers = this.expectOk(answer) as readonly number[]
    const versions = await Promise.all(
      numbers.map(async (version) => this.expectOk(await this.call('GET', `${path}/${version}`))),
    )
    return versions
      .map((found) => found as { version: number; id: number; schema: string })
      .map(({ version, id, schema }) => ({ subject, version, schemaId: id, schema: canonicalOf(schema) }))
      .toSorted((left, right) => left.version - right.version)
  }

  async incompatibilities(subject: string, schemaText: string): Promise<readonly string[]> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions?verbose=true`
    const answer = await this.call('POST', path, { schema: schemaText })
    if (answer.status === 404) return []
    const result = this.expectOk(answer) as { is_compatible: boolean; messages?: readonly string[] }
    if (result.is_compatible) return []
    if (result.messages !== undefined && result.messages.length > 0) return result.messages
    const found = checkFullTransitive(canonicalOf(schemaText), await this.versions(subject))
    const reasons = found.map(
      ({ version, direction, path: at, problem }) => `version ${version}, ${direction}, ${at}: ${problem}`,
    )
    return reasons.length > 0 ? reasons : ['the registry says it is incompatible, without a reason']
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** One call. @throws LABAN_REGISTRY_UNAVAILABLE or LABAN_REGISTRY_REFUSED for everything that is not an answer to the request */
  private async call(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Answer> {
    try {
      const call = {
        method,
        url: `${this.url}${path}`,
        headers: { accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE, ...authorizationOf(this.access) },
        timeoutMs: this.timeoutMs,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }
      const { status, text } = await sendHttp(call, this.agent)
      const said = parseJson(text)
      if (REFUSALS.has(status)) throw this.refused(`HTTP ${status} ${messageOf(said)}`.trim())
      if (!isAnswer(status)) throw this.unavailable(`HTTP ${status} ${messageOf(said)}`.trim())
      return { status, body: said }
    } catch (error) {
      if (error instanceof LabanError) throw error
      throw this.unavailable(error)
    }
  }

  private expectOk({ status, body }: Answer): unknown {
    if (status < 300) return body
    throw this.unavailable(`HTTP ${status} ${messageOf(body)}`.trim())
  }

  private idOf(answer: Answer, subject: string): number {
    if (answer.status === 422 || answer.status === 400) {
      const problem = `the registry refuses it: ${messageOf(answer.body)}`
      throw new LabanError('LABAN_CONTRACT_INVALID', { file: `of subject ${subject}`, problem })
    }
    const { id } = this.expectOk(answer) as { id: number }
    return id
  }

  private async incompatible(subject: string, schemaText: string, answer: Answer): Promise<LabanError> {
    const topic = subject.replace(/-value$/, '')
    const [first] = checkFullTransitive(canonicalOf(schemaText), await this.versions(subject))
    const details = first ?? { version: 'latest', path: 'value', problem: messageOf(answer.body) }
    return new LabanError('LABAN_CONTRACT_INCOMPATIBLE', { topic, ...details }, { cause: messageOf(answer.body) })
  }

  private refused(problem: string, cause?: unknown): LabanError {
    return new LabanError('LABAN_REGISTRY_REFUSED', { url: this.url, problem }, { cause })
  }

  private unavailable(cause: unknown): LabanError {
    if (isDistrust(cause)) return this.refused(describeUnknown(cause), cause)
    const network =
      cause instanceof Error && cause.cause !== undefined ? `${describeUnknown(cause.cause)}` : describeUnknown(cause)
    return new LabanError('LABAN_REGISTRY_UNAVAILABLE', { url: this.url, problem: network }, { cause })
  }
}

/** True for an Avro schema; the client gives other objects for JSON Schema and Protobuf. */
function isAvscType(schema: object): schema is { schema(options: { exportAttrs: boolean }): unknown } {
  return 'schema' in schema && typeof schema.schema === 'function'
}

/** HTTP status of the client's error; undefined when it was not about HTTP. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined
  return typeof error.status === 'number' ? error.status : undefined
}

/** Canonical where possible; a schema of somebody else that breaks our rules is kept as it is. */
function canonicalOf(schemaText: string): AvroSchema {
  const schema = parseJson(schemaText) as AvroSchema
  const result = canonicalSchema(schema, () => undefined)
  return 'schema' in result ? result.schema : schema
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function messageOf(body: unknown): string {
  if (typeof body === 'string') return body.slice(0, 200)
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : ''
}
