/** What Prometheus and a collector really get, and what a collector that is down costs. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { metrics } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { HandlingMeter } from '../../../tracing/handling-meter.ts'
import { MetricSnapshot } from '../../../tracing/metric-snapshot.ts'
import type { MetricsPush } from '../../../tracing/metrics-push.ts'
import { startMetrics, type Metrics } from '../../../tracing/metrics-setup.ts'
import { waitFor } from '../../harness/wait.ts'

const ended: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end()
})

async function start(options: { push?: MetricsPush; isGlobal?: boolean } = {}): Promise<Metrics> {
  const meter = new HandlingMeter('t.copy', ['t.in'])
  meter.ran(3)
  const source = (): Promise<MetricSnapshot> => {
    const snapshot = new MetricSnapshot()
    meter.addTo(snapshot)
    snapshot.set('laban.consumer.lag', { agent: 't.copy', topic: 't.in' }, 7)
    snapshot.set('laban.consumer.drain_eta', { agent: 't.copy' }, Number.POSITIVE_INFINITY)
    return Promise.resolve(snapshot)
  }
  const running = await startMetrics({ source, serviceName: 'tests', instance: 'i-1', isGlobal: false, ...options })
  ended.push(() => running.shutdown())
  return running
}

describe('the text for Prometheus', () => {
  it('has counters, gauges and histograms under the names of the table', async () => {
    const lines = (await (await start()).text()).split('\n')
    expect(lines).toContain('laban_consumer_lag{agent="t.copy",topic="t.in"} 7')
    expect(lines).toContain('laban_consumer_drain_eta_seconds{agent="t.copy"} +Inf')
    expect(lines).toContain('# TYPE laban_handling_completed_total counter')
    expect(lines).toContain('laban_handling_duration_seconds_bucket{agent="t.copy",le="0.0025"} 0')
    expect(lines).toContain('laban_handling_duration_seconds_bucket{agent="t.copy",le="0.005"} 1')
    expect(lines).toContain('laban_handling_duration_seconds_bucket{agent="t.copy",le="+Inf"} 1')
    expect(lines.find((line) => line.startsWith('process_memory_usage_bytes '))).toMatch(/ \d{7,}$/)
    expect(lines.find((line) => line.startsWith('target_info'))).toContain('service_name="tests"')
  })

  it('shows failures as an increase: their counters are there before the first one', async () => {
    const text = await (await start()).text()
    for (const name of ['dead_letters', 'retries', 'quarantined'])
      expect(text).toContain(`laban_handling_${name}_total{agent="t.copy",topic="t.in"} 0`)
  })

  it('carries the meters of handlers', async () => {
    const running = await start({ isGlobal: true })
    metrics.getMeter('a-handler').createCounter('models.tokens').add(42, { model: 'small' })
    expect(await running.text()).toContain('models_tokens_total{model="small"} 42')
  })
})

describe('the push over OTLP', () => {
  it('sends the dotted names with their units and the given headers, and leaves out what JSON cannot say', async () => {
    const { url, bodies, headers } = await collector(200)
    const running = await start({
      push: { otlpUrl: url, everyMs: 60_000, headers: () => ({ authorization: 'Bearer t' }) },
    })
    await running.shutdown()
    const sent = bodies.flatMap((body) => metricsOf(body))
    expect(sent.find(({ name }) => name === 'laban.handling.duration')).toMatchObject({ unit: 's' })
    expect(sent.find(({ name }) => name === 'laban.consumer.lag')?.gauge?.dataPoints).toHaveLength(1)
    expect(sent.find(({ name }) => name === 'laban.consumer.drain_eta')?.gauge?.dataPoints).toEqual([])
    expect(headers[0]?.authorization).toBe('Bearer t')
  })

  it('says once that a collector refuses, and goes on', async () => {
    const said: string[] = []
    const { url, bodies } = await collector(400)
    const running = await start({ push: { otlpUrl: url, everyMs: 20, onExportChange: (state) => said.push(state) } })
    await waitFor(() => bodies.length >= 3, { what: 'three refused exports' })
    expect(said).toEqual(['failing'])
    expect(await running.text()).toContain('laban_consumer_lag')
  })
})

interface Sent {
  readonly name: string
  readonly unit: string
  readonly gauge?: { readonly dataPoints: readonly unknown[] }
}

function metricsOf(body: string): readonly Sent[] {
  const { resourceMetrics } = JSON.parse(body) as {
    resourceMetrics: { scopeMetrics: { metrics: Sent[] }[] }[]
  }
  return resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
}

/** A collector that answers everything with one status. */
async function collector(status: number): Promise<{ url: string; bodies: string[]; headers: IncomingHttpHeaders[] }> {
  const bodies: string[] = []
  const headers: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      headers.push(request.headers)
      bodies.push(body)
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ended.unshift(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, headers }
}
