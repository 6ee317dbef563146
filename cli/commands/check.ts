/** `laban check [agents…]`: does the choreography fit together? From files alone, so that CI needs nothing running. */
import { join, relative } from 'node:path'
import type { Finding } from '../../runtime/internal.ts'
import { defineCommand } from '../command.ts'
import type { Output } from '../output.ts'

const UNSOUND_EXIT = 65

export const check = defineCommand({
  name: 'check',
  summary: 'Check agents and contracts against each other, without running anything',
  description:
    'Finds topics that nobody produces or consumes, producers that a contract does not allow, circles of agents, joins that can ' +
    'never fire, names that clash, rules that cannot be used, and contracts that broke with their released versions. Each finding has a ' +
    'code (docs/reference/errors.md), a file and a remedy. Exits with 65 when there is an error, with --strict also for warnings.',
  arguments: [
    { name: 'files', summary: 'Agent files; default: the configured agents', isRequired: false, isVariadic: true },
  ],
  options: {
    partial: { kind: 'flag', summary: 'These are not all agents: others may produce and consume the rest' },
    strict: { kind: 'flag', summary: 'Warnings are errors' },
    json: { kind: 'flag', summary: 'As JSON' },
  },
  examples: [
    { command: 'laban check', explains: 'All configured agents, in CI' },
    { command: 'laban check --partial services/credit/*.ts', explains: 'The agents of one team' },
  ],
  async run(files, { partial, strict, json }, { output, load }) {
    const { checkChoreography, contractsOf, findingOf, LabanError } = await import('../../runtime/internal.ts')
    const { importAgents } = await import('../load-agents.ts')
    const { config, baseDir } = await load()
    const { agents, problems } = await importAgents(files, config.agents, files.length > 0 ? process.cwd() : baseDir)
    if (agents.length === 0 && problems.length === 0) {
      const problem = 'no file that matches defines an agent'
      throw new LabanError('LABAN_AGENT_NOT_FOUND', { file: config.agents.join(', '), problem })
    }
    const contracts = contractsOf(config)
    // Named files may be some of the agents; what others use is no business of theirs.
    const table = files.length > 0 ? {} : { tableFile: join(config.contractsDir, 'topics.json') }
    const findings = [
      ...problems.map(({ file, error }) => findingOf(error, file)),
      ...checkChoreography({ agents, contracts, ...table, isPartial: partial }),
    ]
    if (json) output.json({ agents: agents.length, topics: contracts.topics.size, findings })
    else printFindings(findings, output)
    const errors = findings.filter(({ severity }) => strict || severity === 'error').length
    const counts = `${agents.length} agents and ${contracts.topics.size} contracts`
    const warnings = findings.length - errors
    const also = warnings === 0 ? '' : `, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`
    output.note(`${counts}: ${errors === 0 ? 'sound' : `${errors} ${errors === 1 ? 'error' : 'errors'}`}${also}`)
    return errors === 0 ? 0 : UNSOUND_EXIT
  },
})

function printFindings(findings: readonly Finding[], output: Output): void {
  for (const { code, severity, message, remedy, file } of findings) {
    const colour = severity === 'error' ? 'red' : 'yellow'
    output.line(`${output.style(colour, `${severity} ${code}`)}  ${relative(process.cwd(), file)}`)
    output.line(`  ${message}`)
    output.line(`  ${output.style('dim', '->')} ${remedy}`)
  }
}
