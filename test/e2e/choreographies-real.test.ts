/**
 * Research and documents as processes on real servers: what can be answered or published is, what cannot ends where a person sees
 * it, and heavy work does not stall the process.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAllFlows, readValues } from '../../runtime/internal.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import { countRecords, Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { waitFor } from '../harness/wait.ts'

const files = (domain: string, names: readonly string[]): string[] =>
  names.map((name) => join('services', domain, name))
const RESEARCH = files('research', ['researcher', 'analyst', 'writer'])
const DOCUMENTS = files('documents', ['parser', 'validator', 'summarizer', 'publisher'])
const PUBLISHED = 'document.published'
const LONG_SENTENCES = 6_000

let deployment: Deployment
let log: OpenLog
let documents: AgentProcess

beforeAll(async () => {
  deployment = await Deployment.make('choreographies', { agents: [...RESEARCH, ...DOCUMENTS] })
  log = await deployment.open()
  documents = deployment.start(DOCUMENTS)
  await Promise.all([deployment.start(RESEARCH).ready, documents.ready])
}, 90_000)

afterAll(async () => {
  await deployment.stop()
  await log.close()
}, 90_000)

/** Publishes a file as a user does; gives the flow ids, in the order of its lines. */
async function publish(topic: string, file: string, id: string): Promise<readonly string[]> {
  const idsOut = join(deployment.folder, `${topic}-${id}.ids`)
  const args = ['publish', topic, '--file', file, '--id', id, '--ids-out', idsOut, '--on', 'kafka']
  const { code, stderr } = await deployment.laban(args)
  expect(code, stderr).toBe(0)
  return readFileSync(idsOut, 'utf8').trim().split('\n')
}

/** The flow as `laban flow` tells it, once every agent has done what it can. */
async function flow(id: string, isReady: (graph: FlowGraph) => boolean): Promise<FlowGraph> {
  return waitFor(
    async () => {
      const { stdout } = await deployment.laban(['flow', id, '--format', 'json', '--on', 'kafka'])
      const read = JSON.parse(stdout) as FlowGraph
      return isReady(read) ? read : undefined
    },
    { timeoutMs: 30_000, what: `flow ${id} to get so far` },
  )
}

function count(topic: string, wanted: number): Promise<unknown> {
  const isThere = async (): Promise<boolean> => (await countRecords(log, [topic])) >= wanted
  return waitFor(isThere, { timeoutMs: 60_000, what: `${wanted} records on ${topic}` })
}

describe('research', { timeout: 90_000 }, () => {
  it('ends in a report, or at the analyst when it is too weak', async () => {
    const sample = join('services', 'research', 'sample', 'requests.jsonl')
    const ids = await publish('research.requested', sample, 'requestId')
    await count('report.published', 3)
    const answered = await flow(ids[0] ?? '', ({ completeness }) => completeness.complete)
    expect(answered.status).toBe('completed')
    expect(answered.events.map(({ topic }) => topic)).toContain('report.published')
    const outcomes: string[] = []
    for await (const { completeness, handlings } of readAllFlows({ ...log, fromLog: false })) {
      expect(completeness.complete).toBe(true)
      outcomes.push(handlings.find(({ agent }) => agent === 'research.analyst')?.outcome ?? '')
    }
    expect(outcomes.toSorted()).toEqual(['completed', 'completed', 'completed', 'rejected', 'rejected'])
  })
})

describe('documents', { timeout: 120_000 }, () => {
  it('are published once checked and summarized; after a failed check the publisher waits, and the flow says for what', async () => {
    const sample = join('services', 'documents', 'sample', 'documents.jsonl')
    const ids = await publish('document.received', sample, 'documentId')
    await count(PUBLISHED, 3)
    await count('documents.validator.dead-letter', 2)
    const published = new Set<string>()
    for await (const { envelope } of readValues(log, PUBLISHED)) published.add(envelope.flowId)
    const refused = ids.filter((id) => !published.has(id))
    expect(refused).toHaveLength(2)
    for (const id of refused) {
      await flow(id, ({ handlings }) => {
        const ended = handlings.find(({ agent }) => agent === 'documents.validator')?.outcome
        return ended === 'dead-lettered' && handlings.some(({ agent }) => agent === 'documents.summarizer')
      })
      const { stdout: tree } = await deployment.laban(['flow', id, '--on', 'kafka'])
      expect(tree).toMatch(/✗ documents\.validator 1\.0\.0 {2}dead-lettered/)
      expect(tree).toContain('dead letter documents.validator.dead-letter/')
      expect(tree).toMatch(/documents\.publisher .*(without|waits for) document\.validated/)
      expect(tree).toContain('NOT COMPLETE')
    }
  })

  it('that are long are summarized in a thread: the process answers meanwhile', async () => {
    const file = join(deployment.folder, 'long.jsonl')
    const document = { documentId: 'long', kind: 'other', format: 'plain', text: longText(LONG_SENTENCES) }
    writeFileSync(file, `${JSON.stringify(document)}\n`)
    const before = await countRecords(log, ['document.summarized'])
    const [id = ''] = await publish('document.received', file, 'documentId')
    let longestMs = 0
    await waitFor(
      async () => {
        const askedMs = performance.now()
        expect(await documents.health('live')).toMatchObject({ status: 200 })
        longestMs = Math.max(longestMs, performance.now() - askedMs)
        return (await countRecords(log, ['document.summarized'])) > before
      },
      { timeoutMs: 60_000, what: 'the summary' },
    )
    const { handlings } = await flow(id, ({ completeness }) => completeness.complete)
    const summarized = handlings.find(({ agent }) => agent === 'documents.summarizer')
    const workedMs = (summarized?.endedAtMs ?? 0) - (summarized?.startedAtMs ?? 0)
    console.info(`summarized in ${workedMs} ms; the longest answer of /live took ${Math.round(longestMs)} ms`)
    expect(workedMs).toBeGreaterThan(500)
    expect(longestMs).toBeLessThan(workedMs / 2)
  })
})

/** Prose whose words repeat as words do: a few often, most rarely. The same each time. */
function longText(sentences: number): string {
  let state = 1
  const next = (limit: number): number => (state = (state * 48_271) % 2_147_483_647) % limit
  const word = (): string => `w${((next(2_000) * next(2_000)) / 2_000).toFixed(0)}`
  const sentence = (): string => `W${Array.from({ length: 12 }, word).join(' ')}.`
  return Array.from({ length: sentences }, sentence).join(' ')
}
