/** How long the handlings of an agent usually take, from the newest facts. */
import { FACTS_TOPIC } from '../../contracts/contract.ts'
import type { AgentSeen } from '../../tracing/diagnose/observations.ts'
import { rangesOf, readFacts, type LogSource } from '../readback/platform-records.ts'

/** The newest facts of each partition that are looked at. */
const FACTS_A_PARTITION = 400
/** With fewer handlings nothing is usual. */
const FEWEST = 20

/** Null when too few handlings of it are among the newest facts. */
export async function usualDurations(source: LogSource, agent: string): Promise<AgentSeen['usual']> {
  const ranges = await rangesOf(source.broker, FACTS_TOPIC)
  const newest = ranges.map((range) => ({
    ...range,
    fromOffset: Math.max(range.fromOffset, range.toOffset - FACTS_A_PARTITION),
  }))
  const { facts } = await readFacts(source, newest)
  const durations = facts
    .filter((fact) => fact.agent === agent && fact.outcome === 'completed')
    .map(({ startedAtMs, endedAtMs }) => Math.max(0, endedAtMs - startedAtMs))
    .sort((a, b) => a - b)
  const count = durations.length
  if (count < FEWEST) return null
  const at = (share: number): number => durations[Math.min(count - 1, Math.floor(share * count))] ?? 0
  return { p50Ms: at(0.5), p99Ms: at(0.99), count }
}
