/** The option `--on` of every command that talks to something. Apart from `target.ts`, so that help loads nothing heavy. */
import type { OptionSpec } from './command.ts'

/** What a command can talk to. */
export type TargetKind = 'dev' | 'kafka' | 'run'

export const ON_OPTION = {
  kind: 'choice',
  choices: ['dev', 'kafka', 'run'],
  summary: 'Talk to laban dev, Kafka, or the last embedded run; without it, to the first of these that is there',
} as const satisfies OptionSpec
