/** Opens what is to be diagnosed, wherever it may be: a running `laban dev`, Kafka, the last embedded run. */
import { openFlowSource } from '../../services/ledger/index.ts'
import {
  createDiagnostician,
  createLogger,
  logFlowSource,
  noTarget,
  patientCodec,
  type Diagnostician,
  type Target,
  type TargetKind,
} from '../../runtime/internal.ts'
import type { CommandContext } from '../command.ts'
import { findCandidates } from '../target.ts'

/** Where to look, and what flows are read from: one flow is read from the log, many are found by a ledger where there is one. */
export interface DiagnosingOptions {
  readonly on: TargetKind | undefined
  readonly many: boolean
}

/** Calls `use` with a diagnostician on the first target there is, and closes everything. @throws LABAN_TARGET_MISSING, LABAN_BROKER_UNAVAILABLE */
export async function diagnosing<R>(
  context: CommandContext,
  { on, many }: DiagnosingOptions,
  use: (diagnostician: Diagnostician, description: string) => Promise<R>,
): Promise<R> {
  // What does not answer is named by the verdict; the clients' own complaints would only repeat it.
  const silent = createLogger({ level: 'silent', format: 'json' })
  const { candidates } = await findCandidates(context, { on, purpose: 'read', log: silent })
  const [target] = candidates
  if (target === undefined) throw noTarget(on)
  const stack = await target.open()
  try {
    const codec = patientCodec(stack.contracts, stack.registry)
    const { store, ...others } = stack
    const log = { ...others, codec }
    const flows = many ? await openFlowSource(stack, log) : undefined
    try {
      const diagnostician = createDiagnostician({
        ...log,
        source: flows?.source ?? logFlowSource(log),
        registryProblem: codec.problem,
        ...circumstancesOf(target, store),
      })
      return await use(
        diagnostician,
        flows === undefined ? target.description : `${target.description}, ${flows.description}`,
      )
    } finally {
      await flows?.close()
    }
  } finally {
    await stack.close()
  }
}

/** Claims of `laban dev` live in its process; of a run that has ended there are none. */
function circumstancesOf<S>({ kind }: Target, store: S): { readonly isOver: boolean; readonly store?: S } {
  return { isOver: kind === 'run', ...(kind === 'kafka' ? { store } : {}) }
}
