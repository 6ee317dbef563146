/** Work that stands still, by cause: failed and stuck flows first, then those that wait. */
import type { FlowLine, StuckGroup, StuckWork } from '../api.ts'
import type { ConsoleContext } from './context.ts'

const LOOKED_AT = 500
const SHOWN = 20
/** In the order of their weight. */
const STATUSES = ['failed', 'stuck', 'waiting'] as const
const SAYS: Readonly<Record<(typeof STATUSES)[number], string>> = {
  failed: 'A handling ended in a dead letter; somebody has to redrive, correct or discard it.',
  stuck: 'It waits for something that nothing under way can bring.',
  waiting: 'It waits for other events or for a person.',
}

/** What stands still now. */
export async function findStuckWork({ kept, source }: ConsoleContext): Promise<StuckWork> {
  return kept.get('stuck', async () => {
    const found = await Promise.all(STATUSES.map((status) => source.search({ status, limit: LOOKED_AT })))
    const groups = STATUSES.flatMap((status, index) => groupsOf(status, found[index]?.flows ?? []))
    return { groups, total: found.reduce((sum, { total }) => sum + total, 0) }
  })
}

function groupsOf(status: (typeof STATUSES)[number], flows: readonly FlowLine[]): StuckGroup[] {
  const byCause = Map.groupBy(flows, (flow) => `${flow.attention.join(', ')} ${flow.errorCodes.join(', ')}`)
  return [...byCause]
    .map(([cause, members]) => {
      const first = members[0]
      const starts = members.flatMap(({ startedAtMs }) => startedAtMs ?? [])
      return {
        id: `${status} ${cause}`,
        ...{ status, verdict: status, says: SAYS[status] },
        agents: first?.attention ?? [],
        codes: first?.errorCodes ?? [],
        count: members.length,
        oldestAtMs: starts.length === 0 ? null : Math.min(...starts),
        flows: members.toSorted((a, b) => (a.startedAtMs ?? 0) - (b.startedAtMs ?? 0)).slice(0, SHOWN),
        commands: [],
      }
    })
    .sort((a, b) => (a.oldestAtMs ?? 0) - (b.oldestAtMs ?? 0))
}
