/** How long it takes to read one flow, to search, and to find the flow of an event, with everything stored. */
import type { Uuid } from '../../contracts/ids.ts'
import { ledgerFlowSource } from '../../services/ledger/index.ts'
import type { LedgerBench } from './setup.ts'

const SEARCHES = 20

/** Prints p50 and p99. */
export async function measureReads(bench: LedgerBench, ids: readonly Uuid[], reads: number): Promise<void> {
  const { database, tables, source } = bench
  const flows = ledgerFlowSource({ database, tables, source })
  const pick = (index: number): Uuid => ids[(index * 7_919) % ids.length] ?? ''
  const events: Uuid[] = []
  await timed('flow', reads, async (index) => {
    const graph = await flows.flow(pick(index))
    const last = graph.events.at(-1)
    if (last !== undefined) events.push(last.id)
  })
  await timed('flow of an event', Math.min(reads, 200), async (index) => {
    const found = await flows.flowsOfEvent(events[index % events.length] ?? '')
    if (found.length !== 1) throw new Error('an event belongs to one flow')
  })
  const searches = {
    'newest 50': {},
    'newest 50 completed': { status: 'completed' },
    'stuck or waiting': { status: 'waiting' },
    'by agent': { agent: 'credit.final-approval' },
    'by an agent that nobody knows': { agent: 'nobody' },
    'by error': { errorCode: 'LABAN_HANDLER_FAILED' },
    'by beginning of the id': { key: pick(1).slice(0, 8) },
  } as const
  for (const [name, filter] of Object.entries(searches))
    await timed(`search, ${name}`, SEARCHES, () => flows.search(filter))
}

async function timed(what: string, count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  const tookMs: number[] = []
  for (let index = 0; index < count; index++) {
    const startedAtMs = performance.now()
    await work(index)
    tookMs.push(performance.now() - startedAtMs)
  }
  tookMs.sort((a, b) => a - b)
  const at = (share: number): string => (tookMs[Math.floor((tookMs.length - 1) * share)] ?? NaN).toFixed(1)
  console.log(`${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (${count})`)
}
