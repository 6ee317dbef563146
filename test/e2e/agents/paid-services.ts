/** What a stepper calls outside: a model that is paid by the call, a payment service that knows its keys, a book. They may kill who calls. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request. */
export interface PaidCall {
  readonly what: string
  readonly agent: string
  readonly key: string
  readonly pid: number
  readonly atMs: number
}

/** Listens on a free port. */
export interface PaidServices {
  readonly url: string
  readonly calls: readonly PaidCall[]
  /** Calls of one kind by one agent. */
  count(what: string, agent: string): number
  /** What was really done: repeated keys are answered with the first result and done once. */
  done(what: string, agent: string): number
  close(): Promise<void>
}

/** `onCall` is told before the answer, and may hold it back until its promise resolves; false: it is never answered. */
export async function startPaidServices(
  onCall: (call: PaidCall) => Promise<boolean> | boolean,
  onAnswered: (call: PaidCall) => void = () => undefined,
): Promise<PaidServices> {
  const calls: PaidCall[] = []
  const done = new Map<string, string>()
  const answer = async (call: PaidCall, response: ServerResponse): Promise<void> => {
    const id = `${call.what}/${call.agent}/${call.key}`
    if (call.what === 'charge' || call.what === 'record') done.set(id, done.get(id) ?? `${call.what}-${done.size}`)
    const text = call.what === 'charged' ? done.get(`charge/${call.agent}/${call.key}`) : (done.get(id) ?? 'answer')
    if (!(await onCall(call))) return
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ text: text ?? '' }), () => onAnswered(call))
  }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    const [, what = '', agent = '', key = ''] = url.pathname.split('/')
    const call = { what, agent, key, pid: Number(url.searchParams.get('pid')), atMs: performance.now() }
    calls.push(call)
    void answer(call, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const of = (what: string, agent: string) => (call: PaidCall) => call.what === what && call.agent === agent
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    count: (what, agent) => calls.filter(of(what, agent)).length,
    done: (what, agent) => [...done.keys()].filter((id) => id.startsWith(`${what}/${agent}/`)).length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
