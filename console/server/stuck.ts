/** Why work stands still: the verdicts of `laban why`, for one flow and for everything. */
import { VERDICTS } from '../../contracts/index.ts'
import { rootOf, rootsOf, standsStill, type Verdict } from '../../tracing/index.ts'
import type { StuckWork, VerdictView, WhyView } from '../api.ts'
import type { ConsoleContext } from './context.ts'
import { openFlow } from './flows.ts'

/** Chains of causes are followed so far. */
const MAX_DEPTH = 12
/** A large flow may have one for each of thousands of handlings. */
const SHOWN_OTHERS = 10

/** Everything that stands still, by root cause, the oldest first. */
export async function findStuckWork({ kept, diagnostician }: ConsoleContext): Promise<StuckWork> {
  return kept.get('stuck', async () => {
    const { groups, unfinished, looked, moving, unseen } = await diagnostician.stuck()
    return {
      groups: groups.map(({ cause, ...group }) => ({ cause: verdictView(cause, 0), ...group })),
      ...{ unfinished, looked, moving, unseen },
    }
  })
}

/** Why one flow stands where it stands. @throws LABAN_FLOW_NOT_FOUND */
export async function whyFlow(context: ConsoleContext, flowId: string): Promise<WhyView> {
  return context.kept.get(`why ${flowId}`, async () => {
    const { graph } = await openFlow(context, flowId)
    const { verdict, also, unseen, asOfMs } = await context.diagnostician.ofGraph(graph)
    return {
      asOfMs,
      stands: rootsOf(verdict).some(standsStill),
      verdict: verdictView(verdict, 0),
      root: verdictView(rootOf(verdict), 0),
      also: also.slice(0, SHOWN_OTHERS).map((other) => verdictView(other, 0)),
      others: also.length,
      unseen,
    }
  })
}

function verdictView(verdict: Verdict, depth: number): VerdictView {
  const { code, standing, sentence, evidence, next, causes, sinceMs, subject } = verdict
  return {
    ...{ code, standing, sentence, evidence, next, sinceMs, agent: subject.agent ?? null },
    meaning: VERDICTS[code].meaning,
    resolution: VERDICTS[code].resolution,
    causes: depth < MAX_DEPTH ? causes.map((cause) => verdictView(cause, depth + 1)) : [],
  }
}
