/** `laban topics apply`: makes the broker's topics fit their contracts. Shows the difference first; never deletes. */
import type { TopicPlan } from '../../contracts/index.ts'
import type { Agent, Stack } from '../../runtime/internal.ts'
import { defineCommand } from '../command.ts'
import type { Output } from '../output.ts'

const REFUSED_EXIT = 65
/** Programs that run keep what they know of a topic for so long. */
const PRODUCERS_NOTICE_AFTER_S = 60

export const topicsApply = defineCommand({
  name: 'topics apply',
  summary: 'Create and configure topics as the contracts say',
  description:
    "Covers the topics of all contracts, the platform's, and those that each agent needs for itself. Shows what it will do, then " +
    'does it. Topics, partitions and other settings that no contract names are left alone. Adding partitions moves keys to ' +
    'other partitions, so it is done only with --add-partitions, and where agents handle events in order only with --drain: ' +
    'first stop publishing; it waits until every agent has finished what the topics hold. Exits with 65 when a contract would ' +
    'lose data, history or order, with 75 when the topics stay in use.',
  options: {
    dryRun: { kind: 'flag', summary: 'Only show the difference' },
    addPartitions: { kind: 'flag', summary: 'Also add partitions, to topics that nobody reads in order' },
    drain: { kind: 'flag', summary: 'Add partitions to all; wait until nothing of those read in order is under way' },
    drainTimeoutS: { kind: 'number', unit: 's', minimum: 1, default: 600, summary: 'Wait so long at most' },
    json: { kind: 'flag', summary: 'The plan as JSON' },
  },
  arguments: [
    { name: 'files', summary: 'Agent files; default: the configured agents', isRequired: false, isVariadic: true },
  ],
  examples: [
    { command: 'laban topics apply --dry-run', explains: 'What would change' },
    { command: 'laban topics apply', explains: 'Create what is missing, adjust settings' },
    { command: 'laban topics apply --drain', explains: 'More partitions, once publishing has been stopped' },
  ],
  async run(files, options, { output, load }) {
    const { localStackValues, openKafka } = await import('../../runtime/internal.ts')
    const { findReaders } = await import('../topics/readers.ts')
    const { commandLog } = await import('../target.ts')
    const { config } = await load(localStackValues())
    const stack = await openKafka({ config, log: commandLog() })
    try {
      const agents = await agentsOf(stack, files)
      const readers = await findReaders(stack, agents)
      const inOrderFor = (topic: string): readonly string[] => {
        return (readers.get(topic) ?? []).filter(({ inOrder }) => inOrder).map(({ agent }) => agent)
      }
      const plan = await planOf(stack, agents, inOrderFor)
      if (options.json) output.json(plan)
      else printPlan(plan, output, options)
      const isRefused = plan.addPartitions.some((growth) => isOutOfOrder(growth, options))
      if (plan.refusals.length > 0 || (options.addPartitions && isRefused)) return REFUSED_EXIT
      if (!options.dryRun) {
        const names = new Map([...readers].map(([topic, found]) => [topic, found.map(({ agent }) => agent)]))
        await apply(plan, stack, { ...options, readers: names, output })
      }
      output.note(summary(plan, options))
      return 0
    } finally {
      await stack.close()
    }
  },
})

type Growth = TopicPlan['addPartitions'][number]

interface GrowthOptions {
  readonly addPartitions: boolean
  readonly drain: boolean
}

function isGrown({ inOrderFor }: Growth, { addPartitions, drain }: GrowthOptions): boolean {
  return drain || (addPartitions && inOrderFor.length === 0)
}

function isOutOfOrder({ inOrderFor }: Growth, { drain }: GrowthOptions): boolean {
  return inOrderFor.length > 0 && !drain
}

async function agentsOf({ config }: Stack, files: readonly string[]): Promise<readonly Agent[]> {
  const { discoverAgents, loadAgentFiles } = await import('../load-agents.ts')
  const loaded =
    files.length > 0 ? await loadAgentFiles(files, process.cwd()) : await discoverAgents(config.agents, process.cwd())
  return loaded.map(({ agent }) => agent)
}

async function planOf(
  { broker, contracts }: Stack,
  agents: readonly Agent[],
  inOrderFor: (topic: string) => readonly string[],
): Promise<TopicPlan> {
  const { ownTopics } = await import('../../runtime/internal.ts')
  const { planTopics } = await import('../../contracts/index.ts')
  const desired = [...contracts.topics.values(), ...ownTopics(agents, contracts)]
  const existing = new Set(await broker.admin.listTopics())
  const known = desired.map(({ name }) => name).filter((name) => existing.has(name))
  return planTopics(desired, await broker.admin.describeTopics(known), inOrderFor)
}

async function apply(
  plan: TopicPlan,
  { broker: { admin } }: Stack,
  options: GrowthOptions & {
    readonly drainTimeoutS: number
    readonly readers: ReadonlyMap<string, readonly string[]>
    readonly output: Output
  },
): Promise<void> {
  if (plan.create.length > 0) await admin.createTopics(plan.create)
  for (const { topic, changes } of plan.configure) {
    await admin.setTopicConfig(topic, Object.fromEntries(changes.map(({ key, to }) => [key, to])))
  }
  const growing = plan.addPartitions.filter((growth) => isGrown(growth, options))
  const ordered = growing.filter(({ inOrderFor }) => inOrderFor.length > 0)
  if (ordered.length === 0) {
    for (const { topic, to } of growing) await admin.addPartitions(topic, to)
    return
  }
  const { countWritten, drainTopics } = await import('../topics/drain.ts')
  const { systemClock } = await import('../../runtime/internal.ts')
  const { readers, output, drainTimeoutS } = options
  const written = await drainTopics({
    admin,
    clock: systemClock,
    readers: new Map(ordered.map(({ topic }) => [topic, readers.get(topic) ?? []])),
    timeoutMs: drainTimeoutS * 1_000,
    onWaiting: (text) => output.note(`waiting: ${text}`),
  })
  for (const { topic, to } of growing) await admin.addPartitions(topic, to)
  for (const { topic, from } of ordered) {
    const since = (await countWritten(admin, topic, from)) - (written.get(topic) ?? 0)
    if (since > 0) output.note(`${topic}: ${since} events came meanwhile; their keys may be out of order once`)
  }
  output.note(`publish again in ${PRODUCERS_NOTICE_AFTER_S} s: by then every running process knows the new partitions`)
}

function printPlan(plan: TopicPlan, output: Output, options: GrowthOptions): void {
  const { style } = output
  for (const { topic, partitions, replication } of plan.create) {
    output.line(`${style('green', '+')} ${topic}  ${partitions} partitions, replication ${replication}`)
  }
  for (const { topic, changes, warning } of plan.configure) {
    for (const { key, from, to } of changes)
      output.line(`${style('yellow', '~')} ${topic}  ${key} ${from ?? '(default)'} -> ${to}`)
    if (warning !== '') output.line(`  ${style('red', 'warning')}: ${warning}`)
  }
  for (const growth of plan.addPartitions) {
    const { topic, from, to, warning, inOrderFor } = growth
    const only = isGrown(growth, options) ? '' : `  (only with --${inOrderFor.length > 0 ? 'drain' : 'add-partitions'})`
    output.line(`${style('yellow', '~')} ${topic}  partitions ${from} -> ${to}${only}`)
    if (inOrderFor.length === 0) output.line(`  ${style('red', 'warning')}: ${warning}`)
    else if (options.addPartitions && isOutOfOrder(growth, options)) {
      const who = `${inOrderFor.join(', ')} ${inOrderFor.length === 1 ? 'handles' : 'handle'} its events in order`
      output.line(`  ${style('red', 'refused')}: ${who}; stop publishing, then use --drain`)
    }
  }
  for (const { topic, problem } of plan.differences) output.line(`${style('dim', '!')} ${topic}  ${problem}`)
  for (const { topic, problem } of plan.refusals) output.line(`${style('red', 'refused')} ${topic}  ${problem}`)
}

function summary(plan: TopicPlan, options: GrowthOptions & { readonly dryRun: boolean }): string {
  const grown = plan.addPartitions.filter((growth) => isGrown(growth, options)).length
  const counts = `${plan.create.length} to create, ${plan.configure.length} to configure, ${plan.addPartitions.length} to grow`
  if (options.dryRun) return counts
  return `${plan.create.length} created, ${plan.configure.length} configured, ${grown} grown`
}
