/** `laban topics apply`: makes the broker's topics fit their contracts. Shows the difference first; never deletes. */
import type { TopicPlan } from '../../contracts/index.ts'
import type { Stack } from '../../runtime/internal.ts'
import { defineCommand } from '../command.ts'
import type { Output } from '../output.ts'

const REFUSED_EXIT = 65

export const topicsApply = defineCommand({
  name: 'topics apply',
  summary: 'Create and configure topics as the contracts say',
  description:
    "Covers the topics of all contracts, the platform's, and those that each agent needs for itself. Shows what it will do, then " +
    'does it. Topics, partitions and other settings that no contract names are left alone. Adding partitions moves keys to ' +
    'other partitions, so it is done only with --add-partitions. Exits with 65 when a contract would lose data or history.',
  options: {
    dryRun: { kind: 'flag', summary: 'Only show the difference' },
    addPartitions: { kind: 'flag', summary: 'Also add partitions; events of one key may be handled out of order' },
    json: { kind: 'flag', summary: 'The plan as JSON' },
  },
  arguments: [
    { name: 'files', summary: 'Agent files; default: the configured agents', isRequired: false, isVariadic: true },
  ],
  examples: [
    { command: 'laban topics apply --dry-run', explains: 'What would change' },
    { command: 'laban topics apply', explains: 'Create what is missing, adjust settings' },
  ],
  async run(files, { dryRun, addPartitions, json }, { output, load }) {
    const { localStackValues, openKafka } = await import('../../runtime/internal.ts')
    const { commandLog } = await import('../target.ts')
    const { config } = await load(localStackValues())
    const stack = await openKafka({ config, log: commandLog() })
    try {
      const plan = await planOf(stack, files)
      if (json) output.json(plan)
      else printPlan(plan, output, addPartitions)
      if (plan.refusals.length > 0) return REFUSED_EXIT
      if (!dryRun) await apply(plan, stack, addPartitions)
      output.note(summary(plan, { dryRun, addPartitions }))
      return 0
    } finally {
      await stack.close()
    }
  },
})

async function planOf(stack: Stack, files: readonly string[]): Promise<TopicPlan> {
  const { ownTopics } = await import('../../runtime/internal.ts')
  const { planTopics } = await import('../../contracts/index.ts')
  const { discoverAgents, loadAgentFiles } = await import('../load-agents.ts')
  const { broker, contracts, config } = stack
  const loaded =
    files.length > 0 ? await loadAgentFiles(files, process.cwd()) : await discoverAgents(config.agents, process.cwd())
  const agents = loaded.map(({ agent }) => agent)
  const desired = [...contracts.topics.values(), ...ownTopics(agents, contracts)]
  const existing = new Set(await broker.admin.listTopics())
  const known = desired.map(({ name }) => name).filter((name) => existing.has(name))
  return planTopics(desired, await broker.admin.describeTopics(known))
}

async function apply(plan: TopicPlan, { broker: { admin } }: Stack, addPartitions: boolean): Promise<void> {
  if (plan.create.length > 0) await admin.createTopics(plan.create)
  for (const { topic, changes } of plan.configure) {
    await admin.setTopicConfig(topic, Object.fromEntries(changes.map(({ key, to }) => [key, to])))
  }
  if (!addPartitions) return
  for (const { topic, to } of plan.addPartitions) await admin.addPartitions(topic, to)
}

function printPlan(plan: TopicPlan, output: Output, addPartitions: boolean): void {
  const { style } = output
  for (const { topic, partitions, replication } of plan.create) {
    output.line(`${style('green', '+')} ${topic}  ${partitions} partitions, replication ${replication}`)
  }
  for (const { topic, changes, warning } of plan.configure) {
    for (const { key, from, to } of changes)
      output.line(`${style('yellow', '~')} ${topic}  ${key} ${from ?? '(default)'} -> ${to}`)
    if (warning !== '') output.line(`  ${style('red', 'warning')}: ${warning}`)
  }
  for (const { topic, from, to, warning } of plan.addPartitions) {
    output.line(
      `${style('yellow', '~')} ${topic}  partitions ${from} -> ${to}${addPartitions ? '' : '  (only with --add-partitions)'}`,
    )
    output.line(`  ${style('red', 'warning')}: ${warning}`)
  }
  for (const { topic, problem } of plan.differences) output.line(`${style('dim', '!')} ${topic}  ${problem}`)
  for (const { topic, problem } of plan.refusals) output.line(`${style('red', 'refused')} ${topic}  ${problem}`)
}

function summary(plan: TopicPlan, { dryRun, addPartitions }: { dryRun: boolean; addPartitions: boolean }): string {
  const grown = addPartitions ? plan.addPartitions.length : 0
  const counts = `${plan.create.length} to create, ${plan.configure.length} to configure, ${plan.addPartitions.length} to grow`
  if (dryRun) return counts
  return `${plan.create.length} created, ${plan.configure.length} configured, ${grown} grown`
}
