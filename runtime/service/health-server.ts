/** `/live` and `/ready` over HTTP. Live: the event loop answers. Ready: every agent consumes and every server it needs answers. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
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

/** A running health server. */
export interface HealthServer {
  readonly port: number
  close(): Promise<void>
}

/** Serves the answers of `health` on host and port; port 0 takes a free one. */
export async function serveHealth(health: () => Health, at: { host: string; port: number }): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0]
    const known = path === '/live' || path === '/ready'
    const current = health()
    const status = !known ? 404 : path === '/live' || current.isReady ? 200 : 503
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(known ? current : { error: 'only /live and /ready' }))
  })
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

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
