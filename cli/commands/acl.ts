/** `laban acl`: the least rights that agents, publishers and readers need on Kafka, derived from definitions and contracts. */
import { defineCommand } from '../command.ts'

export const acl = defineCommand({
  name: 'acl',
  summary: 'Print the least rights that Kafka must grant',
  description:
    'For each agent, for a publisher of the first events of their flows, and for whoever reads flows back. Asks no server. Names ' +
    'carry the namespace. Without --principal each has a user of its own name; with it all rights are for one user, as when one ' +
    'process does it all. The administrator who runs `laban topics apply` needs more, and only then.',
  arguments: [
    { name: 'files', summary: 'Agent files; default: the configured agents', isRequired: false, isVariadic: true },
  ],
  options: {
    principal: { kind: 'text', metavar: 'User:name', summary: 'One user for all' },
    only: {
      kind: 'choice',
      choices: ['agents', 'publisher', 'reader'],
      summary: 'Only for these; default: all three',
    },
    format: { kind: 'choice', choices: ['table', 'json', 'commands'], default: 'table', summary: 'How to print them' },
    json: { kind: 'flag', summary: 'Same as --format json' },
  },
  examples: [
    { command: 'laban acl', explains: 'Who needs what, and what for' },
    {
      command: 'laban acl services/credit/credit-score.ts --only agents --principal User:credit --format commands',
      explains: 'One agent, as commands for kafka-acls',
    },
  ],
  async run(files, options, { output, load }) {
    const { contractsOf, localStackValues } = await import('../../runtime/internal.ts')
    const { discoverAgents, loadAgentFiles } = await import('../load-agents.ts')
    const { aclCommands, aclRows, grantsFor } = await import('../acl/grants.ts')
    const { tableLines } = await import('../table.ts')
    const { config, baseDir } = await load(localStackValues())
    const loaded = await (files.length === 0
      ? discoverAgents(config.agents, baseDir)
      : loadAgentFiles(files, process.cwd()))
    const grants = grantsFor(
      loaded.map(({ agent }) => agent),
      { contracts: contractsOf(config), namespace: config.namespace, principal: options.principal, only: options.only },
    )
    const format = options.json ? 'json' : options.format
    if (format === 'json') output.json(grants)
    else if (format === 'commands') {
      for (const line of aclCommands(grants, config.brokers)) output.line(line)
    } else
      for (const line of tableLines(['USER', 'OPERATION', 'RESOURCE', 'WHAT FOR'], aclRows(grants))) output.line(line)
  },
})
