/** `laban flows`: the newest flows, one per line. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const flows = defineCommand({
  name: 'flows',
  summary: 'List flows, the newest first',
  options: {
    key: {
      kind: 'text',
      metavar: 'key',
      summary: 'Flows with an event of this record key, or whose id begins with it',
    },
    status: {
      kind: 'choice',
      choices: ['pending', 'processing', 'waiting', 'stuck', 'completed', 'failed'],
      summary: 'Only flows in this state',
    },
    agent: { kind: 'text', metavar: 'name', summary: 'Flows that this agent has, or should have, reacted in' },
    error: {
      kind: 'text',
      metavar: 'code',
      summary: 'Flows in which a handling ended in this error, or is retried for it',
    },
    limit: { kind: 'number', unit: 'flows', minimum: 1, default: 50, summary: 'At most so many' },
    on: ON_OPTION,
    json: { kind: 'flag', summary: 'As JSON' },
  },
  examples: [
    { command: 'laban flows', explains: 'The newest 50' },
    { command: 'laban flows --status failed --json', explains: 'Those that ended in a dead letter, for a script' },
  ],
  async run(_args, options, context) {
    const { commandLog, openTarget } = await import('../target.ts')
    const { openFlowSource } = await import('../../services/ledger/index.ts')
    const { durationText } = await import('../../tracing/index.ts')
    const { tableLines } = await import('../table.ts')
    const { output } = context
    const target = await openTarget(context, { on: options.on, purpose: 'read', log: commandLog() })
    const { source, description, close } = await openFlowSource(target.stack)
    try {
      const { key, status, agent, error, limit } = options
      const found = await source.search({
        limit,
        ...(key === undefined ? {} : { key }),
        ...(status === undefined ? {} : { status }),
        ...(agent === undefined ? {} : { agent }),
        ...(error === undefined ? {} : { errorCode: error }),
      })
      if (options.json) return output.json(found)
      const rows = found.flows.map((flow) => [
        flow.flowId,
        flow.status,
        flow.firstTopic,
        flow.startedAtMs === null ? '' : new Date(flow.startedAtMs).toISOString(),
        flow.durationMs === null ? '' : durationText(flow.durationMs),
        String(flow.events),
        flow.attention.join(', '),
      ])
      const [header = '', ...lines] = tableLines(
        ['FLOW', 'STATUS', 'BEGAN WITH', 'AT', 'TOOK', 'EVENTS', 'OPEN AT'],
        rows,
      )
      output.line(output.style('dim', header))
      for (const line of lines) output.line(line)
      output.note(
        output.styleNote(
          'dim',
          `${found.flows.length} of ${found.total} flows from ${target.description}, ${description}`,
        ),
      )
    } finally {
      await close()
      await target.stack.close()
    }
  },
})
