/**
 * Five credit agents, two processes each, on real servers: every real application ends in exactly one decision or review request,
 * every flow can be read back, and programs that know nothing of laban read its topics and start flows.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { foreignEventId, isUuid } from '../../contracts/ids.ts'
import { readAllFlows, readValues } from '../../runtime/internal.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import { traceIdOfFlow } from '../../tracing/propagation.ts'
import { isFlowSampled } from '../../tracing/sampling.ts'
import { ensureKcat, runPython } from '../harness/foreign-tools.ts'
import { orphansIn, servicesIn, tracesOf } from '../harness/jaeger.ts'
import { countRecords, Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { waitFor } from '../harness/wait.ts'

const PROJECT = join(import.meta.dirname, '..', '..')
const LOANS = join(PROJECT, '..', 'shared', 'data', 'loans.csv')
const MAP = join('services', 'credit', 'sample', 'loans-map.json')
const AGENTS = ['credit-score', 'income-verification', 'fraud-detection', 'risk-assessment', 'final-approval']
const FILES = AGENTS.map((name) => join('services', 'credit', name))
const APPLICATIONS = 'credit.application-received'
const ENDS = ['credit.decision-made', 'credit.review-requested']
const ROWS = 9_578
const FOREIGN_ROWS = 25
const SAMPLE_RATIO = 0.02
/** One send by the publisher, then one process and one send by each agent. */
const SPANS_OF_FLOW = 11

const run = promisify(execFile)
const brokers = (await stackAddress('brokers')).join(',')
const registryUrl = await stackAddress('registryUrl')
let deployment: Deployment
let processes: AgentProcess[]
let log: OpenLog

beforeAll(async () => {
  expect(existsSync(LOANS), `${LOANS} holds the real applications`).toBe(true)
  deployment = await Deployment.make('credit-real', {
    agents: FILES,
    env: {
      LABAN_TRACING_ENABLED: 'true',
      LABAN_TRACING_OTLP_URL: await stackAddress('otlpHttpUrl'),
      LABAN_TRACING_SAMPLE_RATIO: String(SAMPLE_RATIO),
    },
  })
  log = await deployment.open()
  // Of each agent one process with our own code for records and one with kafkajs's: who wrote a record must not matter.
  processes = ['fast', 'kafkajs'].flatMap((records) =>
    FILES.map((file) => deployment.start([file], { LABAN_KAFKA_RECORDS: records })),
  )
  await Promise.all(processes.map((process) => process.ready))
}, 150_000)

afterAll(async () => {
  await deployment.stop()
  await log.close()
}, 90_000)

/** How many records end each flow. */
async function endsByFlow(): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const topic of ENDS) {
    for await (const { envelope } of readValues(log, topic)) {
      counts.set(envelope.flowId, (counts.get(envelope.flowId) ?? 0) + 1)
    }
  }
  return counts
}

function waitForEnds(count: number): Promise<unknown> {
  return waitFor(async () => (await countRecords(log, ENDS)) >= count, { timeoutMs: 180_000, what: `${count} ends` })
}

describe('the real applications', { timeout: 240_000 }, () => {
  let flowIds: readonly string[]

  it('each end in exactly one decision or review request', async () => {
    const idsOut = join(deployment.folder, 'flow-ids')
    const startedMs = performance.now()
    // Ids derive from the batch: another run of this test has flows of its own in the same Jaeger.
    const batch = deployment.namespace
    const args = ['publish', APPLICATIONS, '--file', LOANS, '--map', MAP, '--batch', batch, '--ids-out', idsOut]
    const published = await deployment.laban([...args, '--on', 'kafka', '--json'])
    expect(published, published.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(published.stdout)).toMatchObject({ published: ROWS, repeated: 0, failed: 0 })
    await waitForEnds(ROWS)
    const seconds = (performance.now() - startedMs) / 1_000
    console.info(`${ROWS} flows by ${processes.length} processes: ${seconds.toFixed(1)} s from file to last decision`)

    flowIds = (await readFile(idsOut, 'utf8')).trim().split('\n')
    expect(new Set(flowIds).size).toBe(ROWS)
    const ends = await endsByFlow()
    expect(new Set(ends.keys())).toEqual(new Set(flowIds))
    expect([...ends].filter(([, count]) => count !== 1)).toEqual([])
  })

  it('are read back by `laban flow`, complete, from the facts and from the topics', async () => {
    const chosen = [flowIds[0], flowIds[4_789], flowIds[ROWS - 1]].map((id) => id ?? '')
    for (const id of chosen) {
      // The fact of the last handling follows its output within the batching time.
      const graph = await waitFor(
        async () => {
          const { code, stdout } = await deployment.laban(['flow', id, '--format', 'json', '--from-log'])
          const read = JSON.parse(stdout) as FlowGraph
          return code === 0 && read.completeness.complete ? read : undefined
        },
        { timeoutMs: 30_000, what: `flow ${id} to be complete` },
      )
      expect(graph).toMatchObject({ flowId: id, status: 'completed' })
      expect(new Set(graph.handlings.map(({ agent }) => agent))).toEqual(
        new Set(AGENTS.map((name) => `credit.${name}`)),
      )
      expect(graph.events).toHaveLength(6)
    }
  })

  it('are one trace in Jaeger where they are sampled: the publisher and five agents, no span without its parent', async () => {
    const jaegerUrl = await stackAddress('jaegerUrl')
    const sampled = flowIds.filter((id) => isFlowSampled(id, SAMPLE_RATIO))
    expect(sampled.length).toBeGreaterThan(ROWS * SAMPLE_RATIO * 0.7)
    for (const flowId of [sampled[0] ?? '', sampled.at(-1) ?? '']) {
      const trace = await waitFor(
        async () => {
          const [found] = await tracesOf(jaegerUrl, `/${traceIdOfFlow(flowId)}`)
          return found !== undefined && found.spans.length >= SPANS_OF_FLOW ? found : undefined
        },
        { timeoutMs: 30_000, what: `${SPANS_OF_FLOW} spans of flow ${flowId}` },
      )
      expect(servicesIn(trace)).toEqual(new Set(['laban.publish', ...AGENTS.map((name) => `credit.${name}`)]))
      expect(trace.spans).toHaveLength(SPANS_OF_FLOW)
      expect(orphansIn(trace)).toEqual({ roots: 1, orphans: [] })
    }
    const unsampled = flowIds.find((id) => !isFlowSampled(id, SAMPLE_RATIO)) ?? ''
    expect(await tracesOf(jaegerUrl, `/${traceIdOfFlow(unsampled)}`)).toEqual([])
  })
})

describe('programs that know nothing of laban', { timeout: 180_000 }, () => {
  it('read records and headers with kcat', async () => {
    const kcat = await ensureKcat()
    const topic = `${deployment.namespace}.${ENDS[0] ?? ''}`
    const args = ['-b', brokers, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k\\t%S\\t%h\\n']
    const { stdout } = await run(kcat, args, { maxBuffer: 64 * 1024 * 1024 })
    const lines = stdout.trim().split('\n')
    expect(lines).toHaveLength(await countRecords(log, ENDS.slice(0, 1)))
    for (const line of lines.slice(0, 500)) {
      const [key = '', size, headers = ''] = line.split('\t')
      expect(isUuid(key)).toBe(true)
      expect(Number(size)).toBeGreaterThan(5)
      expect(headers).toContain(`ce_correlationid=${key}`)
      expect(headers).toContain(`ce_type=${ENDS[0] ?? ''}`)
      expect(headers).toContain('ce_source=credit.final-approval')
      expect(headers).toContain('content-type=application/avro')
    }
  })

  it('decode the values in Python with the schema that the registry gives', async () => {
    const script = join(import.meta.dirname, 'foreign', 'read_topic.py')
    for (const topic of ENDS) {
      const ours = new Map<string, unknown>()
      for await (const { envelope, value } of readValues(log, topic)) ours.set(envelope.id, value)
      const printed = await runPython(script, [brokers, registryUrl, `${deployment.namespace}.${topic}`])
      const theirs = new Map<string, unknown>()
      for (const line of printed.trim().split('\n')) {
        const { headers, value } = JSON.parse(line) as { headers: Record<string, string>; value: unknown }
        theirs.set(headers['ce_id'] ?? '', value)
      }
      expect(theirs.size).toBeGreaterThan(0)
      expect(theirs).toEqual(ours)
    }
  })

  it('start flows by producing in Python without any header', async () => {
    const script = join(import.meta.dirname, 'foreign', 'produce.py')
    const topic = `${deployment.namespace}.${APPLICATIONS}`
    const printed = await runPython(script, [brokers, registryUrl, topic, String(FOREIGN_ROWS)])
    const places = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { partition: number; offset: number })
    expect(places).toHaveLength(FOREIGN_ROWS)
    await waitForEnds(ROWS + FOREIGN_ROWS)
    const ends = await endsByFlow()
    for (const { partition, offset } of places) {
      expect(ends.get(foreignEventId(APPLICATIONS, partition, offset))).toBe(1)
    }
    expect(ends.size).toBe(ROWS + FOREIGN_ROWS)
  })
})

describe('the whole log, read back in one pass', { timeout: 180_000 }, () => {
  it('shows every flow as complete after all processes have drained', async () => {
    const ended = await deployment.stop()
    expect(ended.map(({ code, stderr }) => ({ code, stderr: code === 0 ? '' : stderr }))).toEqual(
      processes.map(() => ({ code: 0, stderr: '' })),
    )
    const startedMs = performance.now()
    const amiss: unknown[] = []
    let flows = 0
    for await (const { flowId, status, completeness } of readAllFlows({ ...log, fromLog: true })) {
      flows++
      if (status !== 'completed' || !completeness.complete) amiss.push({ flowId, status, completeness })
    }
    console.info(`${flows} flows rebuilt in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
    expect(amiss.slice(0, 3)).toEqual([])
    expect(flows).toBe(ROWS + FOREIGN_ROWS)
  })
})
