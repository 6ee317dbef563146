/** `simulate`: a whole choreography under virtual time, many times over, each time with other faults; judged by the invariants of the protocol. */
import { hash } from 'node:crypto'
import type { ContractSet } from '../../../contracts/contract-set.ts'
import { LabanError } from '../../../contracts/errors.ts'
import type { Agent } from '../../agent.ts'
import { runInline } from '../../threads/inline.ts'
import type { ExpectFlow } from './expectations.ts'
import { drawFaults, FAULT_KINDS, type FaultKind, type PlannedFault } from './fault-plan.ts'
import type { FirstEventSample } from './load.ts'
import { openScene } from './open-scene.ts'
import { randomStream, type Random } from './random.ts'
import { contextOf, describeViolation, ReportBuilder, type SimulationReport, type Violation } from './report.ts'
import { simulateRun, type RunResult } from './run.ts'
import type { Scene, Tamper } from './scene.ts'
import { shrinkPlan } from './shrink.ts'

/** How a choreography is simulated; everything has a default. */
export interface SimulateOptions {
  /** Seed of the first run; the next has the next number. The same seed and options give the same runs. @default 1 */
  readonly seed?: number
  /** @default 100 */
  readonly runs?: number
  /** Flows of each run. @default 50 */
  readonly flows?: number
  /** Faults of each run that are to strike at least; 0 for none. @default 5 */
  readonly faults?: number
  /** Kinds of faults. @default all */
  readonly kinds?: readonly FaultKind[]
  /** Processes of each run; every one runs all agents. @default 2 */
  readonly processes?: number
  /** First events, from which each flow draws one. @default generated from the contracts of topics that no agent writes */
  readonly events?: readonly FirstEventSample[]
  /** How long a handling takes besides what its code does, ms; `random.next()` draws. @default mostly nothing, some up to 3 s */
  readonly handlerMs?: (random: Random) => number
  /** Contracts, or their folder. @default the folder that the project's configuration names: `contracts` */
  readonly contracts?: ContractSet | string
  /** An assertion on every flow that has ended; it throws when the flow is wrong. */
  readonly expect?: ExpectFlow
  /** Hears of every run that has ended: for showing progress. */
  readonly onRun?: (done: number, report: () => SimulationReport) => void
}

/** Faults that find nothing to strike are made up for by these. */
const SPARE_FAULTS = 3

/**
 * Runs agents in memory under virtual time with crashes, stalls, lost answers, rebalances and more, and judges each run by the
 * invariants of the protocol and by `expect`. Nothing sleeps: a wait of days takes no time. Handlers must do without real timers and
 * without I/O of their own; one that does not is reported.
 * @throws LABAN_SIMULATION_FAILED for the first violation, with its seed, the faults that it takes and what happened; also
 * LABAN_SIMULATION_NO_EVENTS, LABAN_CONTRACT_INVALID, LABAN_CONTRACT_UNKNOWN_TOPIC
 * @example
 * const report = await simulate([placeOrder, confirmOrder], {
 *   seed: 7, runs: 200,
 *   expect: (flow) => assert.equal(flow.events('orders.order-confirmed').length, 1),
 * })
 */
export async function simulate(agents: readonly Agent[], options: SimulateOptions = {}): Promise<SimulationReport> {
  const report = await simulateAll(agents, options)
  const { violation } = report
  if (violation === undefined) return report
  const [finding] = violation.findings
  throw new LabanError('LABAN_SIMULATION_FAILED', {
    seed: violation.seed,
    invariant: finding?.invariant ?? '',
    problem: `${finding?.problem ?? ''}\n${describeViolation(violation)}`,
    replay: `simulate(agents, { seed: ${violation.seed}, runs: 1 }) and the same options`,
  })
}

/** The same, with a violation as part of the answer. Stops at the first. */
export async function simulateAll(
  agents: readonly Agent[],
  options: SimulateOptions & { readonly tamper?: Tamper } = {},
): Promise<SimulationReport> {
  const {
    seed = 1,
    runs = 100,
    flows = 50,
    processes = 2,
    onRun,
    expect,
    events,
    contracts,
    handlerMs,
    tamper,
  } = options
  const scene = await openScene(agents, {
    ...{ flows, processes },
    ...(contracts === undefined ? {} : { contracts }),
    ...(events === undefined ? {} : { events }),
    ...(expect === undefined ? {} : { expect }),
    ...(tamper === undefined ? {} : { tamper }),
    ...(handlerMs === undefined ? {} : { handlerMs }),
  })
  const builder = new ReportBuilder(seed)
  const endInline = await runInline()
  try {
    for (let index = 0; index < runs; index++) {
      const plan = planOf(scene, seed + index, options)
      const run = await simulateRun(scene, seed + index, plan)
      builder.add(run)
      if (run.findings.length > 0) return builder.report(digestOf, await violationOf(scene, run, plan))
      onRun?.(index + 1, () => builder.report(digestOf))
    }
  } finally {
    endInline()
  }
  return builder.report(digestOf)
}

function planOf(
  { withinMs }: Scene,
  seed: number,
  { faults = 5, kinds = FAULT_KINDS }: SimulateOptions,
): PlannedFault[] {
  const count = faults === 0 ? 0 : faults + SPARE_FAULTS
  return drawFaults(randomStream(seed, 'faults'), { count, kinds, withinMs })
}

async function violationOf(scene: Scene, failed: RunResult, plan: readonly PlannedFault[]): Promise<Violation> {
  const isOurs = failed.findings[0]?.invariant !== 'honesty'
  const replay = (shorter: readonly PlannedFault[]): Promise<RunResult> => simulateRun(scene, failed.seed, shorter)
  const { run, plan: faults } = isOurs ? await shrinkPlan(failed, plan, replay) : { run: failed, plan }
  const { seed, findings, digest } = run
  return { seed, findings, faults, trace: contextOf(run), digest }
}

function digestOf(digests: readonly string[]): string {
  return hash('sha256', digests.join(), 'hex').slice(0, 32)
}
