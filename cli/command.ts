/** What a command is: data for help and reference pages, and one function. Heavy imports belong inside `run`, so that help stays fast. */
import type { LoadedConfig } from '../runtime/internal.ts'
import type { Output } from './output.ts'

/** A positional argument; the last one may be variadic. */
export interface ArgumentSpec {
  readonly name: string
  readonly summary: string
  /** @default true */
  readonly isRequired?: boolean
  readonly isVariadic?: boolean
}

/** An option; its name is the key in the command's `options`, `--kebab-case` on the command line. */
export type OptionSpec =
  | { readonly kind: 'flag'; readonly summary: string }
  | { readonly kind: 'text'; readonly summary: string; readonly metavar: string; readonly default?: string }
  | {
      readonly kind: 'number'
      readonly summary: string
      /** For example `events/s` or `ms`; also what help shows for the value. */
      readonly unit: string
      readonly minimum?: number
      readonly default?: number
    }
  | {
      readonly kind: 'choice'
      readonly summary: string
      readonly choices: readonly string[]
      readonly default?: string
    }

/** Options by name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

type ValueOf<S extends OptionSpec> = S extends { kind: 'flag' }
  ? boolean
  : S extends { kind: 'number' }
    ? number
    : S extends { kind: 'choice'; choices: readonly (infer C)[] }
      ? C
      : string

/** What `run` gets for its options: flags are booleans, what has no default may be undefined. */
export type OptionValues<O extends OptionSpecs> = {
  readonly [K in keyof O]: O[K] extends { kind: 'flag' } | { default: string | number }
    ? ValueOf<O[K]>
    : ValueOf<O[K]> | undefined
}

/** Circumstances of one run. */
export interface CommandContext {
  readonly output: Output
  /** Loads the configuration with the flags of this command line. @throws LABAN_CONFIG_INVALID, LABAN_CONFIG_UNKNOWN_KEY */
  load(fallback?: {
    readonly origin: string
    readonly values: Readonly<Record<string, unknown>>
  }): Promise<LoadedConfig>
}

/** One command. */
export interface CommandDefinition<O extends OptionSpecs = OptionSpecs> {
  /** One or two words: `publish`, `agent reset`. */
  readonly name: string
  /** One line, without a full stop. */
  readonly summary: string
  /** More sentences for `--help` and the reference. */
  readonly description?: string
  readonly arguments?: readonly ArgumentSpec[]
  readonly options?: O
  readonly examples: readonly { readonly command: string; readonly explains: string }[]
  /** Returns the exit status; nothing means 0. Errors are thrown, never printed here. */
  run(args: readonly string[], options: OptionValues<O>, context: CommandContext): Promise<number | void>
}

/** A command as the table holds it, whatever its options are. */
export type AnyCommand = Omit<CommandDefinition, 'run'> & {
  run(args: readonly string[], options: never, context: CommandContext): Promise<number | void>
}

/** Gives a command's `run` the types of its own options. */
export function defineCommand<const O extends OptionSpecs>(definition: CommandDefinition<O>): CommandDefinition<O> {
  return definition
}

/** Options that every command takes. */
export const GLOBAL_OPTIONS = {
  config: { kind: 'text', metavar: 'file', summary: 'Configuration file instead of laban.config.json' },
  namespace: { kind: 'text', metavar: 'name', summary: 'Same as --set namespace=<name>' },
  brokers: { kind: 'text', metavar: 'host:port,…', summary: 'Same as --set brokers=<list>' },
  set: { kind: 'text', metavar: 'key=value', summary: 'Any configuration key; may be given several times' },
} as const satisfies OptionSpecs

/** `--kebab-case` of an option's name. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** What follows the flag in help: `<path>`, `<events/s>`, `<stop|skip>`; nothing for a flag. */
export function metavarOf(spec: OptionSpec): string {
  if (spec.kind === 'flag') return ''
  if (spec.kind === 'number') return `<${spec.unit}>`
  return spec.kind === 'choice' ? `<${spec.choices.join('|')}>` : `<${spec.metavar}>`
}
