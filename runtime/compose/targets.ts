/** What a program can talk to: a running `laban dev`, Kafka, or the last embedded run. Programs and the command line choose alike. */
import { LabanError } from '../../contracts/errors.ts'
import { openKafka, type Stack, type StackOptions } from '../compose.ts'
import { readDevFile } from './dev-file.ts'
import { openRemote } from './dev-port.ts'
import { openRecorded, recordedRuns } from './recorded-runs.ts'

/** A running `laban dev`, Kafka, the last embedded run. */
export type TargetKind = 'dev' | 'kafka' | 'run'

/** Something to talk to, not opened yet. */
export interface Target {
  readonly kind: TargetKind
  /** For people: `Kafka at 127.0.0.1:19092`. */
  readonly description: string
  open(): Promise<Stack>
}

/** What is looked for. */
export interface TargetSearch {
  /** @default any */
  readonly on?: TargetKind | undefined
  /** A finished run can be read, not published to. */
  readonly purpose: 'read' | 'publish'
}

/** Everything that could be meant, in order: a live `laban dev`, Kafka, the last embedded run. */
export async function findTargets(options: StackOptions, { on, purpose }: TargetSearch): Promise<readonly Target[]> {
  const { config } = options
  const found: Target[] = []
  const dev = readDevFile(config.stateDir)
  if (dev !== undefined) {
    const description = `laban dev (process ${dev.pid})`
    found.push({ kind: 'dev', description, open: () => openRemote(options, dev) })
  }
  if (config.brokers.length > 0) {
    const description = `Kafka at ${config.brokers.join(', ')}`
    found.push({ kind: 'kafka', description, open: () => openKafka(options) })
  }
  const [lastRun] = purpose === 'read' ? await recordedRuns(config.stateDir) : []
  if (lastRun !== undefined) {
    const description = `the last embedded run (${lastRun})`
    found.push({ kind: 'run', description, open: () => openRecorded(options, lastRun) })
  }
  return found.filter(({ kind }) => on === undefined || kind === on)
}

/** LABAN_TARGET_MISSING for what was asked for. */
export function noTarget(on: TargetKind | undefined): LabanError {
  return new LabanError('LABAN_TARGET_MISSING', { on: on ?? 'dev, kafka or run' })
}
