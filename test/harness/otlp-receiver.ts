/** A small OTLP/HTTP trace store on a free port, so that tests see what is really exported. It can also refuse or hang. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as it arrived, with the name of its service. */
export interface ReceivedSpan {
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly links: readonly string[]
}

export type ReceiverMode = 'accept' | 'refuse' | 'hang'

/** A running receiver. */
export interface OtlpReceiver {
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
  readonly headers: readonly IncomingHttpHeaders[]
  mode: ReceiverMode
  close(): Promise<void>
}

interface OtlpBody {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] }
    scopeSpans: { spans: OtlpSpan[] }[]
  }[]
}

interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  links?: { spanId: string }[]
}

/** Starts a receiver; close it at the end of the test. */
export async function startOtlpReceiver(mode: ReceiverMode = 'accept'): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const headers: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      headers.push(request.headers)
      if (receiver.mode === 'accept') spans.push(...spansOf(JSON.parse(body) as OtlpBody))
      answer(response, receiver.mode)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${port}`,
    spans,
    headers,
    mode,
    close: () => closeAll(server),
  }
  return receiver
}

function answer(response: ServerResponse, mode: ReceiverMode): void {
  if (mode === 'hang') return
  response.writeHead(mode === 'accept' ? 200 : 503, { 'content-type': 'application/json' }).end('{}')
}

function closeAll(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

function spansOf(body: OtlpBody): ReceivedSpan[] {
  return body.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? ''
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => received(service, span)))
  })
}

function received(service: string, span: OtlpSpan): ReceivedSpan {
  const parentSpanId = span.parentSpanId === '' ? undefined : span.parentSpanId
  const links = (span.links ?? []).map((link) => link.spanId)
  return { service, traceId: span.traceId, spanId: span.spanId, parentSpanId, name: span.name, links }
}
