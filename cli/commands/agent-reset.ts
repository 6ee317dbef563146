/** `laban agent reset`: moves an agent's consumer group; shows first what that means. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const agentReset = defineCommand({
  name: 'agent reset',
  summary: 'Move where a stopped agent goes on reading',
  description:
    'The agent must not run. Events that it has handled within its dedup time are skipped even when it reads them again.',
  arguments: [{ name: 'agent', summary: 'Name of the agent, which is its consumer group' }],
  options: {
    to: {
      kind: 'text',
      metavar: 'position',
      summary: 'earliest, latest, a time (ISO 8601 or epoch ms), or <topic>/<partition>=<offset>,…',
    },
    dryRun: { kind: 'flag', summary: 'Only show what would change' },
    on: ON_OPTION,
    json: { kind: 'flag', summary: 'The moves as JSON' },
  },
  examples: [
    {
      command: 'laban agent reset credit.credit-score --to earliest --dry-run',
      explains: 'What reading everything again would mean',
    },
    { command: 'laban agent reset credit.credit-score --to 2026-11-21T10:00:00Z', explains: 'Go on from a moment' },
    {
      command: 'laban agent reset credit.credit-score --to credit.application-received/0=120',
      explains: 'One partition; the others stay',
    },
  ],
  async run([name = ''], options, context) {
    const { commandLog, openTarget } = await import('../target.ts')
    const { describeStep, parseResetTarget, planReset } = await import('../reset-plan.ts')
    const { topicsOfAgent } = await import('../agent-topics.ts')
    const { tableLines } = await import('../table.ts')
    const { LabanError } = await import('../../runtime/internal.ts')
    const { output } = context
    if (options.to === undefined) throw new LabanError('LABAN_USAGE', { problem: 'agent reset needs --to <position>' })
    const position = parseResetTarget(options.to)
    const target = await openTarget(context, { on: options.on, purpose: 'publish', log: commandLog() })
    try {
      const topics = await topicsOfAgent(name, target)
      const steps = await planReset(target.stack, name, topics, position)
      if (!options.dryRun && steps.length > 0) {
        const commits = steps.map(({ topic, partition, toOffset }) => ({
          topic,
          partition,
          offset: toOffset,
          metadata: '',
        }))
        await target.stack.broker.admin.setGroupOffsets(name, commits)
      }
      if (options.json) return output.json({ agent: name, applied: !options.dryRun, steps })
      const rows = steps.map((step) => [
        `${step.topic}/${step.partition}`,
        String(step.fromOffset ?? '-'),
        String(step.toOffset),
        describeStep(step),
      ])
      for (const line of tableLines(['PARTITION', 'FROM', 'TO', 'MEANS'], rows)) output.line(line)
      const done = options.dryRun ? 'would move (nothing was changed)' : 'moved'
      output.note(steps.length === 0 ? `${name} is there already` : `${name}: ${steps.length} partitions ${done}`)
    } finally {
      await target.stack.close()
    }
  },
})
