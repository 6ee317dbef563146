/** The world that the agents call: a model, a card service and a store of records, in one HTTP server that writes down every call. */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { OutsideCall } from '../checker/history.ts'

/** A running outside world. */
export interface OutsideWorld {
  readonly url: string
  readonly calls: readonly OutsideCall[]
  close(): Promise<void>
}

interface Told {
  readonly pid: number
  readonly key?: string
  readonly told?: string
  readonly waitMs?: number
}

/** `POST /<what>/<event id>` is answered after `waitMs` with a random text; with a key the text of its first call. `GET /key/<key>` finds it. */
export async function openOutsideWorld(): Promise<OutsideWorld> {
  const calls: OutsideCall[] = []
  const byKey = new Map<string, string>()
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [what = '', eventId = ''] = request.url?.slice(1).split('/') ?? []
    if (request.method === 'GET') {
      const known = byKey.get(eventId)
      response.statusCode = known === undefined ? 404 : 200
      response.end(known)
      return
    }
    const { pid, key = '', told = '', waitMs = 0 } = JSON.parse(await bodyOf(request)) as Told
    const known = key === '' ? undefined : byKey.get(key)
    const said = known ?? randomUUID()
    if (key !== '') byKey.set(key, said)
    calls.push({ what, eventId, pid, atMs: Date.now(), key, told, isApplied: known === undefined })
    setTimeout(() => response.end(said), waitMs)
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
