/** Which dead letters a command is about: options that all of them take. Apart from the code, so that help loads nothing heavy. */
import type { OptionSpecs } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const SELECT_OPTIONS = {
  agent: { kind: 'text', placeholder: 'name', summary: 'Only those of this agent' },
  code: { kind: 'text', placeholder: 'code', summary: 'Only those with this error code' },
  flow: { kind: 'text', placeholder: 'id', summary: 'Only those of this flow' },
  group: { kind: 'text', placeholder: 'id', summary: 'Only those of one group of `laban dlq list`' },
  since: { kind: 'text', placeholder: 'time', summary: 'Only those that failed since then: 30m, 12h, 7d, or ISO 8601' },
  on: ON_OPTION,
} as const satisfies OptionSpecs
