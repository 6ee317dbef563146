/**
 * What tracing costs per record: one process span, one send span, both ended. `node bench/tracing.ts`; one core, best of five.
 * The unsampled path must stay below half a microsecond.
 */
import { cpus, loadavg } from 'node:os'
import { deriveId } from '../contracts/ids.ts'
import { noTracer } from '../tracing/create-tracer.ts'
import type { EventTracer, TracedInput } from '../tracing/event-tracer.ts'
import { startTracing } from '../tracing/setup.ts'

const RECORDS = 200_000
const SAMPLED_RECORDS = 20_000
const ROUNDS = 5
const MAX_UNSAMPLED_US = 0.5

const flowId = deriveId('bench')
const outputId = deriveId('output')
const headers = Array.from({ length: 1_000 }, (_, index) => {
  return `00-${deriveId('trace', String(index)).replaceAll('-', '')}-b7ad6b7169203331-00`
})

function inputs(flags: '00' | '01' | null): TracedInput[] {
  return headers.map((header) => {
    const base = { id: outputId, type: 't.a', source: 's', time: '', flowId, causes: [], hop: 1 }
    const envelope = flags === null ? base : { ...base, traceparent: header.slice(0, -2) + flags }
    const place = { topic: 't.a', partition: 0, offset: 1, key: null }
    return { agent: 'a.b', group: 'a.b', instance: 'i', ...place, envelope, attempt: 1 }
  })
}

function once(tracer: EventTracer, records: readonly TracedInput[], count: number): number {
  const startedAtMs = performance.now()
  for (let index = 0; index < count; index++) {
    const input = records[index % records.length]
    if (input === undefined) break
    const span = tracer.startProcess(input)
    const send = span.startSend('t.b', outputId, flowId)
    send.end({ partition: 0, offset: index })
    span.end('completed')
  }
  return ((performance.now() - startedAtMs) * 1_000) / count
}

function microsecondsPerRecord(tracer: EventTracer, records: readonly TracedInput[], count: number): number {
  once(tracer, records, count)
  return Math.min(...Array.from({ length: ROUNDS }, () => once(tracer, records, count)))
}

function withHandlers(tracer: EventTracer): EventTracer {
  return {
    startFlow: (...flow) => tracer.startFlow(...flow),
    startProcess: (input) => {
      const span = tracer.startProcess(input)
      span.run(() => undefined)
      return span
    },
  }
}

// Nobody listens: what the exporter does is not measured, what the process pays for it is.
const on = startTracing({ serviceName: 'bench', otlpUrl: 'http://127.0.0.1:9', sampleRatio: 0, instance: 'bench' })
const rows: readonly (readonly [string, number, boolean])[] = [
  ['tracing off', microsecondsPerRecord(noTracer, inputs('00'), RECORDS), true],
  ['unsampled, header forwarded', microsecondsPerRecord(on.tracer, inputs('00'), RECORDS), true],
  ['unsampled, with handler context', microsecondsPerRecord(withHandlers(on.tracer), inputs('00'), RECORDS), false],
  ['unsampled, without any header', microsecondsPerRecord(on.tracer, inputs(null), RECORDS), false],
  ['sampled, two spans', microsecondsPerRecord(on.tracer, inputs('01'), SAMPLED_RECORDS), false],
]
await on.shutdown()

process.stdout.write(`${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, load ${loadavg()[0]?.toFixed(2) ?? '?'}\n`)
for (const [name, us] of rows) process.stdout.write(`${name.padEnd(34)} ${us.toFixed(3).padStart(8)} us per record\n`)
const slow = rows.filter(([, us, isFast]) => isFast && us >= MAX_UNSAMPLED_US)
if (slow.length > 0) {
  process.stdout.write(`above ${MAX_UNSAMPLED_US} us: ${slow.map(([name]) => name).join(', ')}\n`)
  process.exitCode = 1
}
