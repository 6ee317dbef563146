/** The table of commands: help, the reference page and the program are made from it. A new command is one file and one row. */
import type { AnyCommand } from './command.ts'
import { acl } from './commands/acl.ts'
import { doctor } from './commands/doctor.ts'
import { flow } from './commands/flow.ts'
import { flows } from './commands/flows.ts'
import { agents } from './commands/agents.ts'
import { agentReset } from './commands/agent-reset.ts'
import { configKeys } from './commands/config-keys.ts'
import { configPrint } from './commands/config-print.ts'
import { console } from './commands/console.ts'
import { contractsCheck } from './commands/contracts-check.ts'
import { contractsPush } from './commands/contracts-push.ts'
import { diff } from './commands/diff.ts'
import { dlqDiscard } from './commands/dlq-discard.ts'
import { dlqEdit } from './commands/dlq-edit.ts'
import { dlqList } from './commands/dlq-list.ts'
import { dlqRedrive } from './commands/dlq-redrive.ts'
import { dlqShow } from './commands/dlq-show.ts'
import { generate } from './commands/generate.ts'
import { init } from './commands/init.ts'
import { ledgerErase } from './commands/ledger-erase.ts'
import { ledgerRebuild } from './commands/ledger-rebuild.ts'
import { ledgerRun } from './commands/ledger-run.ts'
import { ledgerStatus } from './commands/ledger-status.ts'
import { publish } from './commands/publish.ts'
import { check } from './commands/check.ts'
import { demo } from './commands/demo.ts'
import { dev } from './commands/dev.ts'
import { run } from './commands/run.ts'
import { simulate } from './commands/simulate.ts'
import { why } from './commands/why.ts'
import { top } from './commands/top.ts'
import { topology } from './commands/topology.ts'
import { topicsApply } from './commands/topics-apply.ts'

/** All commands in the order of the help. */
export const COMMANDS: readonly AnyCommand[] = [
  demo,
  init,
  dev,
  publish,
  flow,
  flows,
  diff,
  why,
  run,
  simulate,
  ledgerRun,
  ledgerStatus,
  ledgerRebuild,
  ledgerErase,
  top,
  agents,
  topology,
  agentReset,
  dlqList,
  dlqShow,
  dlqRedrive,
  dlqEdit,
  dlqDiscard,
  console,
  doctor,
  acl,
  generate,
  check,
  contractsCheck,
  contractsPush,
  topicsApply,
  configPrint,
  configKeys,
]
