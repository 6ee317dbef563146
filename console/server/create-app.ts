/** The console's HTTP API and page, not listening yet: all routes stand here. What reads is a GET, what acts is a POST below `/api/actions`. */
import { createHash } from 'node:crypto'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import type { About } from '../api.ts'
import type { ConsoleContext } from './context.ts'
import { listContracts, viewContract } from './contracts.ts'
import { listDeadLetters, viewDeadLetter } from './dead-letters.ts'
import { viewEvent } from './event-body.ts'
import { findFlows, searchFlows, viewFlow, viewMembers, type Query } from './flows.ts'
import { guard, uncached } from './guard.ts'
import { ACTIONS, type Operator } from './operator.ts'
import { problemOf } from './problem.ts'
import { Sampler } from './sampler.ts'
import { serveBundle } from './static-files.ts'
import { findStuckWork, whyFlow } from './stuck.ts'
import { readTopology } from './topology.ts'

/** Large enough for the largest event that a broker takes by default. */
const MAX_REQUEST_BYTES = 2 * 1024 * 1024
const SERVER_ERROR = 500

/** What the routes are made from. */
export interface AppOptions {
  readonly context: ConsoleContext
  readonly operator: Operator
  readonly about: () => About
  readonly allowedHosts: readonly string[]
  /** Folder of the page; asked with the first request for it. */
  readonly webDir: () => Promise<string>
}

/** See the file's head. */
export function createApp(options: AppOptions): FastifyInstance {
  const { context, operator, about, allowedHosts, webDir } = options
  const app = fastify({ logger: false, bodyLimit: MAX_REQUEST_BYTES, routerOptions: { maxParamLength: 500 } })
  // A form can send plain text from any page without asking; JSON cannot.
  app.removeContentTypeParser('text/plain')
  guard(app, { allowedHosts })
  app.setErrorHandler((error, request, reply) => {
    const { status, problem } = problemOf(error)
    if (status >= SERVER_ERROR) context.log.warn('the console could not answer', { path: request.url, ...problem })
    return reply.code(status).send({ error: problem })
  })
  tagAnswers(app)
  addReadingRoutes(app, context, about)
  addActionRoutes(app, context, operator)
  serveBundle(app, webDir)
  return app
}

function addReadingRoutes(app: FastifyInstance, context: ConsoleContext, about: () => About): void {
  const sampler = new Sampler(context.stack)
  app.get('/api/about', about)
  app.get('/api/topology', () => context.kept.get('topology', () => readTopology(context, sampler)))
  app.get<{ Querystring: Query }>('/api/flows', ({ query }) => searchFlows(context, query))
  app.get<{ Params: { id: string } }>('/api/flows/:id', ({ params }) => viewFlow(context, params.id))
  app.get<{ Params: { id: string }; Querystring: Query }>('/api/flows/:id/members', ({ params, query }) =>
    viewMembers(context, params.id, query),
  )
  app.get<{ Params: { id: string } }>('/api/flows/:id/why', ({ params }) => whyFlow(context, params.id))
  app.get<{ Params: { id: string } }>('/api/events/:id/flows', ({ params }) => findFlows(context, params.id))
  app.get<{ Params: { topic: string; partition: string; offset: string } }>(
    '/api/events/:topic/:partition/:offset',
    ({ params }) => viewEvent(context, params),
  )
  app.get('/api/stuck', () => findStuckWork(context))
  app.get<{ Querystring: Query }>('/api/dead-letters', ({ query }) =>
    context.kept.get(`letters ${query['all'] ?? ''}`, () => listDeadLetters(context, { all: query['all'] === 'true' })),
  )
  app.get<{ Params: { agent: string }; Querystring: Query }>('/api/dead-letters/:agent', ({ params, query }) =>
    viewDeadLetter(context, params.agent, query['place'] ?? ''),
  )
  app.get('/api/contracts', () => listContracts(context))
  app.get<{ Params: { topic: string } }>('/api/contracts/:topic', ({ params }) => viewContract(context, params.topic))
}

function addActionRoutes(app: FastifyInstance, context: ConsoleContext, operator: Operator): void {
  const onRequest = async ({ headers, url, ip }: FastifyRequest): Promise<void> =>
    operator.check(headers.authorization, { path: url, address: ip })
  app.post('/api/actions/check', { onRequest }, () => ({ ok: true }))
  for (const action of ACTIONS) {
    app.post(`/api/actions/${action}`, { onRequest }, async (request) => {
      const result = await operator.act(action, request.body)
      // What was kept is no longer so; the page asks again at once.
      context.kept.forget()
      return result
    })
  }
}

/** Pages ask again every few seconds: an answer that has not changed is not sent twice. */
function tagAnswers(app: FastifyInstance): void {
  app.setReplySerializer((payload) =>
    JSON.stringify(payload, (_name, field: unknown) => (typeof field === 'bigint' ? String(field) : field)),
  )
  app.addHook('onSend', async (request, reply, payload) => {
    if (!request.url.startsWith('/api/')) return payload
    uncached(reply)
    if (request.method !== 'GET' || typeof payload !== 'string' || reply.statusCode !== 200) return payload
    const tag = `"${createHash('sha1').update(payload).digest('base64url')}"`
    void reply.header('etag', tag)
    if (request.headers['if-none-match'] !== tag) return payload
    void reply.code(304)
    return ''
  })
}
