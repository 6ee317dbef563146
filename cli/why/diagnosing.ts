/** Opens what is to be diagnosed, wherever it may be: a running `laban dev`, Kafka, the last embedded run. */
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

/** Calls `use` with a diagnostician on the first target there is, and closes everything. @throws LABAN_TARGET_MISSING, LABAN_BROKER_UNAVAILABLE */
export async function diagnosing<R>(
  context: CommandContext,
  on: TargetKind | undefined,
  use: (diagnostician: Diagnostician, description: string) => Promise<R>,
): Promise<R> {
  // What does not answer is named by the verdict; the clients' own complaints would only repeat it.
  const log = createLogger({ level: 'silent', format: 'json' })
  const { candidates } = await findCandidates(context, { on, purpose: 'read', log })
  const [target] = candidates
  if (target === undefined) throw noTarget(on)
  const stack = await target.open()
  try {
    const codec = patientCodec(stack.contracts, stack.registry)
    const { store, ...others } = stack
    const diagnostician = createDiagnostician({
      ...others,
      codec,
      source: logFlowSource({ ...others, codec }),
      registryProblem: codec.problem,
      ...circumstancesOf(target, store),
    })
    return await use(diagnostician, target.description)
  } finally {
    await stack.close()
  }
}

/** Claims of `laban dev` live in its process; of a run that has ended there are none. */
function circumstancesOf<S>({ kind }: Target, store: S): { readonly isOver: boolean; readonly store?: S } {
  return { isOver: kind === 'run', ...(kind === 'kafka' ? { store } : {}) }
}
