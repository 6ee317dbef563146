/** Which dead letters a command is about: options that all of them take. Apart from the code, so that help loads nothing heavy. */
import type { OptionSpecs } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const SELECT_OPTIONS = {
  agent: { kind: 'text', metavar: 'name', summary: 'Only those of this agent' },
  code: { kind: 'text', metavar: 'code', summary: 'Only those with this error code' },
  flow: { kind: 'text', metavar: 'id', summary: 'Only those of this flow' },
  group: { kind: 'text', metavar: 'id', summary: 'Only those of one group of `laban dlq list`' },
  since: { kind: 'text', metavar: 'time', summary: 'Only those that failed since then: 30m, 12h, 7d, or ISO 8601' },
  on: ON_OPTION,
} as const satisfies OptionSpecs
