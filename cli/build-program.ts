/** Makes the commander program out of the command table: the table is the only place that knows commands. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { flagOf, GLOBAL_OPTIONS, metavarOf, type AnyCommand, type OptionSpec, type OptionSpecs } from './command.ts'

/** A command line that names a command. */
export interface Invocation {
  readonly command: AnyCommand
  readonly args: readonly string[]
  /** Values of the command's own options by name. */
  readonly options: Readonly<Record<string, unknown>>
  /** Configuration file and `key=value` settings. */
  readonly configFile: string | undefined
  readonly settings: readonly string[]
}

/** Groups of commands: the first word of two-word names. */
const GROUPS: Readonly<Record<string, string>> = {
  agent: 'Work on one agent',
  config: 'Show the configuration',
  dlq: 'Inspect, mend and redrive dead letters',
  contracts: 'Check and register contracts',
  topics: 'Create and compare topics',
}

/** A program that calls `invoke` with what was asked for. Commander's own complaints are thrown as CommanderError. */
export function buildProgram(
  commands: readonly AnyCommand[],
  version: string,
  invoke: (invocation: Invocation) => Promise<void>,
): Command {
  const program = quiet(new Command('laban'))
    .description('Event-driven choreography of agents: safe to crash at any instant, every flow can be read back.')
    .version(version, '-v, --version', 'Print the version')
    .helpOption('-h, --help', 'Print help')
    .helpCommand('help [command]', 'Print help for a command')
    .addHelpText('after', '\nStart here: laban demo, then laban flows and laban flow <id>.')
  for (const command of commands) addCommand(parentFor(program, command), command, invoke)
  return program
}

function parentFor(program: Command, { name }: AnyCommand): Command {
  const [group = '', verb] = name.split(' ')
  if (verb === undefined) return program
  const existing = program.commands.find((candidate) => candidate.name() === group)
  return existing ?? quiet(program.command(group)).description(GROUPS[group] ?? group)
}

function addCommand(parent: Command, definition: AnyCommand, invoke: (invocation: Invocation) => Promise<void>): void {
  const { name, summary, description, options = {}, examples } = definition
  const command = quiet(parent.command(name.split(' ').at(-1) ?? name))
    .summary(summary)
    .description(description === undefined ? `${summary}.` : `${summary}.\n\n${description}`)
    .helpOption('-h, --help', 'Print help')
  for (const { name: argument, summary: meaning, isRequired = true, isVariadic = false } of definition.arguments ??
    []) {
    const text = `${argument}${isVariadic ? '...' : ''}`
    command.argument(isRequired ? `<${text}>` : `[${text}]`, meaning)
  }
  addOptions(command, options)
  command.optionsGroup('Configuration:')
  addOptions(command, GLOBAL_OPTIONS)
  command.addHelpText('after', helpExamples(examples))
  command.action(async () => {
    await invoke(invocationOf(definition, command))
  })
}

function addOptions(command: Command, specs: OptionSpecs): void {
  for (const [name, spec] of Object.entries(specs)) {
    const option = new Option(`${flagOf(name)} ${metavarOf(spec)}`.trim(), spec.summary)
    if (spec.kind === 'choice') option.argParser((text) => parseChoice(text, spec.choices))
    if (spec.kind === 'number') option.argParser((text) => parseNumber(text, spec))
    if (name === 'set') option.argParser((text, earlier: string[] = []) => [...earlier, text])
    if (spec.kind !== 'flag' && spec.default !== undefined) option.default(spec.default)
    command.addOption(option)
  }
}

function parseChoice(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text
  throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`)
}

function parseNumber(text: string, spec: Extract<OptionSpec, { kind: 'number' }>): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError(`It must be a number of ${spec.unit}.`)
  if (value < (spec.minimum ?? 0)) throw new InvalidArgumentError(`It must be at least ${spec.minimum ?? 0}.`)
  return value
}

function invocationOf(command: AnyCommand, parsed: Command): Invocation {
  const values: Record<string, unknown> = parsed.opts()
  const options = Object.fromEntries(
    Object.entries(command.options ?? {}).map(([name, spec]) => [
      name,
      values[name] ?? (spec.kind === 'flag' ? false : undefined),
    ]),
  )
  const settings = [...((values['set'] as string[] | undefined) ?? [])]
  for (const name of ['namespace', 'brokers']) {
    if (typeof values[name] === 'string') settings.push(`${name}=${values[name]}`)
  }
  return { command, args: parsed.args, options, configFile: values['config'] as string | undefined, settings }
}

function helpExamples(examples: AnyCommand['examples']): string {
  const lines = examples.map(({ command, explains }) => `  ${command}\n      ${explains}`)
  return `\nExamples:\n${lines.join('\n')}`
}

/** Errors are ours to print, not commander's. */
function quiet(command: Command): Command {
  return command
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
}
