/**
 * What every request must pass and every answer carries. The console shows what a company's events say, so only pages of this very
 * address may ask: the name in `Host` must be one we know (a foreign name that resolves to us is an attack), and `Origin`, where a
 * browser sends one, must be our own.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LabanError } from '../../runtime/internal.ts'

/** Names under which the console may be asked, besides those of this machine. */
export interface GuardOptions {
  /** Host names without port. */
  readonly allowedHosts: readonly string[]
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]']

/** Nothing from elsewhere, nothing inline, nobody may frame us, and no address of a flow leaves with a link. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Adds the checks and the headers to all routes. */
export function guard(app: FastifyInstance, { allowedHosts }: GuardOptions): void {
  const names = new Set([...LOOPBACK_NAMES, ...allowedHosts].map((name) => name.toLowerCase()))
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(HEADERS)
    checkHost(request, names)
    checkOrigin(request)
  })
}

/** @throws LABAN_CONSOLE_HOST */
function checkHost({ headers }: FastifyRequest, names: ReadonlySet<string>): void {
  const host = headers.host ?? ''
  const name = host.replace(/:\d+$/, '').toLowerCase()
  if (!names.has(name)) throw new LabanError('LABAN_CONSOLE_HOST', { host: host === '' ? '(none)' : host })
}

/** Only browsers send it; one that does is on our own page. @throws LABAN_CONSOLE_ORIGIN */
function checkOrigin({ headers }: FastifyRequest): void {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  const isForeign = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`
  const isCrossSite = site === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate'
  if (isForeign || isCrossSite) throw new LabanError('LABAN_CONSOLE_ORIGIN', { origin: origin ?? 'another site' })
}

/** Answers of the API are never kept by a browser; it asks again with the tag of what it has. */
export function uncached(reply: FastifyReply): void {
  void reply.header('cache-control', 'no-cache')
}
