/** The command line: finds the command, runs it, prints what failed, and answers with the exit status. */
import { CommanderError } from 'commander'
import { buildProgram, type Invocation } from './build-program.ts'
import { COMMANDS } from './command-table.ts'
import type { CommandContext } from './command.ts'
import { createOutput, type Output } from './output.ts'
import { readVersion } from './version.ts'

/** Runs one command line (without node and script) and returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  const output = createOutput()
  let exitCode = 0
  const program = buildProgram(COMMANDS, readVersion(), async (invocation) => {
    exitCode = await run(invocation, output)
  })
  if (argv.length === 0) {
    program.outputHelp()
    return 0
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const { explainError } = await import('./explain-error.ts')
    return explainError(await asUsageError(error), output, argv.includes('--json'))
  }
}

async function run({ command, args, options, configFile, settings }: Invocation, output: Output): Promise<number> {
  const context: CommandContext = {
    output,
    load: async (fallback) => {
      const { loadConfig } = await import('../runtime/internal.ts')
      const flags = await parseSettings(settings)
      return loadConfig({ configFile, flags, ...(fallback === undefined ? {} : { fallback }) })
    },
  }
  return (await command.run(args, options as never, context)) ?? 0
}

async function parseSettings(settings: readonly string[]): Promise<Record<string, string>> {
  const flags: Record<string, string> = {}
  for (const setting of settings) {
    const equals = setting.indexOf('=')
    if (equals < 1) {
      const { LabanError } = await import('../runtime/internal.ts')
      throw new LabanError('LABAN_USAGE', { problem: `--set ${setting} is not of the form key=value` })
    }
    flags[setting.slice(0, equals)] = setting.slice(equals + 1)
  }
  return flags
}

/** What commander says about a command line, as an error of ours. */
async function asUsageError(error: unknown): Promise<unknown> {
  if (!(error instanceof CommanderError)) return error
  const { LabanError } = await import('../runtime/internal.ts')
  // A group without a verb makes commander print its help and fail with this text.
  const problem =
    error.message === '(outputHelp)' ? 'The command is not complete' : error.message.replace(/^error: /, '')
  return new LabanError('LABAN_USAGE', { problem })
}
