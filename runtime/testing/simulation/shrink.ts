/** Finds the fewest faults of a plan that still break the same invariant: each is left out once, and stays out when it is not needed. */
import type { PlannedFault } from './fault-plan.ts'
import type { RunResult } from './run.ts'

/** Runs a plan again. */
export type RunPlan = (plan: readonly PlannedFault[]) => Promise<RunResult>

/** The failing run with the fewest faults that was found; `failed` itself when every fault is needed. */
export async function shrinkPlan(
  failed: RunResult,
  plan: readonly PlannedFault[],
  run: RunPlan,
): Promise<{ readonly run: RunResult; readonly plan: readonly PlannedFault[] }> {
  const invariant = failed.findings[0]?.invariant
  let smallest = { run: failed, plan }
  for (let index = plan.length - 1; index >= 0; index--) {
    const shorter = smallest.plan.toSpliced(index, 1)
    const result = await run(shorter)
    if (result.findings[0]?.invariant === invariant) smallest = { run: result, plan: shorter }
  }
  return smallest
}
