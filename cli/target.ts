/** What a command talks to. It always says which. */
import {
  createLogger,
  findTargets,
  localStackValues,
  noTarget,
  type LoadedConfig,
  type Logger,
  type Stack,
  type Target,
  type TargetSearch,
} from '../runtime/internal.ts'
import type { CommandContext } from './command.ts'

/** An open target. */
export interface OpenTarget extends Omit<Target, 'open'> {
  readonly stack: Stack
  readonly loaded: LoadedConfig
}

/** Opens the first target there is. @throws LABAN_TARGET_MISSING when there is none, LABAN_BROKER_UNAVAILABLE */
export async function openTarget(
  context: CommandContext,
  options: TargetSearch & { readonly log: Logger },
): Promise<OpenTarget> {
  const { loaded, candidates } = await findCandidates(context, options)
  const [first] = candidates
  if (first === undefined) throw noTarget(options.on)
  return { kind: first.kind, description: first.description, stack: await first.open(), loaded }
}

/** Everything that could be meant with the configuration of this command line. */
export async function findCandidates(
  context: CommandContext,
  { log, ...search }: TargetSearch & { readonly log: Logger },
): Promise<{ readonly loaded: LoadedConfig; readonly candidates: readonly Target[] }> {
  const loaded = await context.load(localStackValues())
  return { loaded, candidates: await findTargets({ config: loaded.config, log }, search) }
}

/** The log of commands that end: warnings and errors only. */
export function commandLog(): Logger {
  return createLogger({ level: 'warn', format: 'pretty' })
}
