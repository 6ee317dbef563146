/** Decides what a command talks to: a running `laban dev`, Kafka, or the last embedded run. It always says which. */
import {
  createLogger,
  LabanError,
  openKafka,
  openRecorded,
  openRemote,
  recordedRuns,
  type LoadedConfig,
  type Logger,
  type Stack,
} from '../runtime/internal.ts'
import type { CommandContext } from './command.ts'
import { readDevFile } from './dev-file.ts'
import { localStackValues } from './local-stack.ts'
import type { TargetKind } from './target-option.ts'

/** Something a command can talk to, not opened yet. */
export interface Candidate {
  readonly kind: TargetKind
  /** For people: `Kafka at 127.0.0.1:19092`. */
  readonly description: string
  open(): Promise<Stack>
}

/** An open target. */
export interface Target {
  readonly kind: TargetKind
  readonly description: string
  readonly stack: Stack
  readonly loaded: LoadedConfig
}

/** Whether the command only reads: a finished run cannot be published to. */
export type Purpose = 'read' | 'publish'

/** Opens the first candidate. @throws LABAN_TARGET_MISSING when there is none, LABAN_BROKER_UNAVAILABLE */
export async function openTarget(
  context: CommandContext,
  options: { readonly on: TargetKind | undefined; readonly purpose: Purpose; readonly log: Logger },
): Promise<Target> {
  const { loaded, candidates } = await findCandidates(context, options)
  const [first] = candidates
  if (first === undefined) throw noTarget(options.on)
  return { kind: first.kind, description: first.description, stack: await first.open(), loaded }
}

/** LABAN_TARGET_MISSING for what was asked for. */
export function noTarget(on: TargetKind | undefined): LabanError {
  return new LabanError('LABAN_TARGET_MISSING', { on: on ?? 'dev, kafka or run' })
}

/** Everything that could be meant, in order: a live `laban dev`, Kafka, the last embedded run. */
export async function findCandidates(
  context: CommandContext,
  { on, purpose, log }: { readonly on: TargetKind | undefined; readonly purpose: Purpose; readonly log: Logger },
): Promise<{ readonly loaded: LoadedConfig; readonly candidates: readonly Candidate[] }> {
  const loaded = await context.load(localStackValues())
  const { config } = loaded
  const candidates: Candidate[] = []
  const dev = readDevFile(config.stateDir)
  if (dev !== undefined) {
    const description = `laban dev (process ${dev.pid})`
    candidates.push({ kind: 'dev', description, open: () => openRemote({ config, log }, dev) })
  }
  if (config.brokers.length > 0) {
    const description = `Kafka at ${config.brokers.join(', ')}`
    candidates.push({ kind: 'kafka', description, open: () => openKafka({ config, log }) })
  }
  const [lastRun] = purpose === 'read' ? await recordedRuns(config.stateDir) : []
  if (lastRun !== undefined) {
    const description = `the last embedded run (${lastRun})`
    candidates.push({ kind: 'run', description, open: () => openRecorded({ config, log }, lastRun) })
  }
  return { loaded, candidates: candidates.filter(({ kind }) => on === undefined || kind === on) }
}

/** The log of commands that end: warnings and errors only. */
export function commandLog(): Logger {
  return createLogger({ level: 'warn', format: 'pretty' })
}
