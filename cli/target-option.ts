/** The option `--on` of every command that talks to something. Apart from `target.ts`, so that help loads nothing heavy. */
import type { TargetKind } from '../runtime/internal.ts'
import type { OptionSpec } from './command.ts'

export const ON_OPTION = {
  kind: 'choice',
  choices: ['dev', 'kafka', 'run'] satisfies readonly TargetKind[],
  summary: 'Talk to laban dev, Kafka, or the last embedded run; without it, to the first of these that is there',
} as const satisfies OptionSpec
