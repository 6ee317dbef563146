/** HTTP to a schema registry: one agent for all calls, whose certificate authority and login are read anew when they are needed. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'

/** Text, or a function that is asked each time. */
export type Changeable = string | (() => string)

/** How to enter a registry. */
export interface RegistryAccess {
  /** HTTP basic authentication. */
  readonly auth?: { readonly username: string; readonly password: Changeable }
  /** Bearer token, instead of `auth`. */
  readonly token?: Changeable
  /** Certificate authority (PEM) to trust instead of the system ones; asked for every connection. */
  readonly ca?: Changeable
}

/** What was answered. */
export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

/** One request. */
export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly timeoutMs: number
}

/** An agent for the protocol of the URL; idle connections do not keep the process alive. */
export function agentFor(url: string, { ca }: RegistryAccess): HttpAgent | HttpsAgent {
  const settings = { keepAlive: true, timeout: IDLE_MS }
  if (!url.startsWith('https:')) return new HttpAgent(settings)
  // Agents copy their options once, except for each connection.
  return ca === undefined ? new HttpsAgent(settings) : new TrustingAgent(settings, ca)
}

/** The `authorization` header for now; none without a login. */
export function authorizationOf({ auth, token }: RegistryAccess): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `Bearer ${valueOf(token)}` }
  if (auth === undefined) return {}
  const credentials = Buffer.from(`${auth.username}:${valueOf(auth.password)}`).toString('base64')
  return { authorization: `Basic ${credentials}` }
}

/** Sends one request. Rejects with what the network said. */
export async function sendHttp(
  { method, url, headers, body, timeoutMs }: HttpCall,
  agent: HttpAgent,
): Promise<HttpAnswer> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(url, { method, headers, agent, signal: AbortSignal.timeout(timeoutMs) }, resolve)
    request.on('error', reject)
    request.end(body)
  })
  return { status: response.statusCode ?? 0, text: await text(response) }
}

const IDLE_MS = 30_000

class TrustingAgent extends HttpsAgent {
  readonly #ca: Changeable

  constructor(settings: ConstructorParameters<typeof HttpsAgent>[0], ca: Changeable) {
    super(settings)
    this.#ca = ca
  }

  override createConnection(...[options, callback]: Parameters<HttpsAgent['createConnection']>) {
    return super.createConnection({ ...options, ca: valueOf(this.#ca) }, callback)
  }
}

function valueOf(value: Changeable): string {
  return typeof value === 'string' ? value : value()
}
