/** The table of commands: help, the reference page and the program are made from it. A new command is one file and one row. */
import type { AnyCommand } from './command.ts'
import { configKeys } from './commands/config-keys.ts'
import { configPrint } from './commands/config-print.ts'
import { publish } from './commands/publish.ts'
import { run } from './commands/run.ts'

/** All commands in the order of the help. */
export const COMMANDS: readonly AnyCommand[] = [publish, run, configPrint, configKeys]
