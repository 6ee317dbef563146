/**
 * `/live`, `/ready` and `/metrics` over HTTP. Live: the event loop answers. Ready: every agent consumes and every server it needs
 * answers. Metrics: in Prometheus's text format.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describeUnknown } from '../../contracts/errors.ts'
import type { AgentStatus } from './agent-runner.ts'

/** What a service says about itself. */
export interface Health {
  readonly state: 'starting' | 'running' | 'draining' | 'stopped'
  readonly isReady: boolean
  /** Why it is not ready; empty when it is. */
  readonly problems: readonly string[]
  /** What a person should know although the process works: commits that stand still. */
  readonly warnings: readonly string[]
  readonly agents: readonly AgentStatus[]
}

/** Before there is a service. */
export const startingHealth: Health = { state: 'starting', isReady: false, problems: [], warnings: [], agents: [] }

/** A running health server. */
export interface HealthServer {
  readonly port: number
  close(): Promise<void>
}

/** What is answered to whom. */
export interface Answers {
  readonly health: () => Health
  /** The body of `/metrics`. @default there is none */
  readonly metrics?: (() => Promise<string>) | undefined
}

/** Serves the answers on host and port; port 0 takes a free one. */
export async function serveHealth(answers: Answers, at: { host: string; port: number }): Promise<HealthServer> {
  const server = createServer((request, response) => void answer(answers, request.url?.split('?')[0], response))
  await listen(server, at)
  // Health must not keep a process alive that has nothing else to do.
  server.unref()
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        // Whoever polls keeps its connection open; that must not hold up the end of the process.
        server.closeAllConnections()
      }),
  }
}

const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

async function answer({ health, metrics }: Answers, path = '', response: ServerResponse): Promise<void> {
  const say = (status: number, type: string, body: string): void => {
    response.writeHead(status, { 'content-type': type })
    response.end(body)
  }
  if (path === '/metrics' && metrics !== undefined) {
    try {
      return say(200, TEXT_TYPE, await metrics())
    } catch (error) {
      return say(500, TEXT_TYPE, `${describeUnknown(error)}\n`)
    }
  }
  if (path !== '/live' && path !== '/ready')
    return say(404, JSON_TYPE, JSON.stringify({ error: 'only /live, /ready and /metrics' }))
  const current = health()
  say(path === '/live' || current.isReady ? 200 : 503, JSON_TYPE, JSON.stringify(current))
}

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
