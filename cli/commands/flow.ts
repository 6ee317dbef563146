/** `laban flow <id>`: one flow read back: who said what, who heard it, who should have and did not. */
import type { FlowGraph } from '../../tracing/index.ts'
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const flow = defineCommand({
  name: 'flow',
  summary: 'Show one flow',
  description:
    'Events and handlings with joins, waiting time, latency, attempts and skipped duplicates, and whether the reconstruction is ' +
    'complete. A flow that would take more than 200 lines is drawn by groups of agent and event type. Without --on it looks in a ' +
    'running laban dev, on Kafka and in the last embedded run, and says where it found it.',
  arguments: [{ name: 'id', summary: 'Flow id, the beginning of one, or the record key of one of its events' }],
  options: {
    format: {
      kind: 'choice',
      choices: ['text', 'json', 'mermaid', 'tree'],
      default: 'text',
      summary: 'How to draw it; tree is another word for text',
    },
    groups: { kind: 'flag', summary: 'By groups of agent and event type, even when it is small; also as JSON' },
    expand: {
      kind: 'text',
      placeholder: 'agent or topic,…',
      summary: 'By groups, and list the members of these one by one: what failed or waits first, then the slowest',
    },
    all: { kind: 'flag', summary: 'Every event and handling by itself, however many' },
    fromLog: { kind: 'flag', summary: 'Read the events on their topics too and compare them with the facts' },
    on: ON_OPTION,
  },
  examples: [
    { command: 'laban flow 8bb8bc08-6b96-829f-a45a-752d24795b9f', explains: 'As a tree in the terminal' },
    {
      command: 'laban flow 8bb8bc08 --format mermaid',
      explains: 'As a sequence diagram; the beginning of the id is enough',
    },
    {
      command: 'laban flow 8bb8bc08 --expand batch.worker',
      explains: 'A large flow by groups, with what this agent made of each event',
    },
    { command: 'laban flow 8bb8bc08 --from-log', explains: 'Rebuilt from the topics alone' },
  ],
  async run([id = ''], options, context) {
    const { findFlow } = await import('../find-flow.ts')
    const { FlowGroups, renderJson, renderMermaid, renderText } = await import('../../tracing/index.ts')
    const { output } = context
    const { graph, kind, target, config } = await findFlow(id, context, { on: options.on, fromLog: options.fromLog })
    if (options.format === 'json') {
      return options.groups ? output.json(new FlowGroups(graph).overview) : output.line(renderJson(graph))
    }
    if (options.format === 'mermaid') return output.line(renderMermaid(graph))
    const { groups, all } = options
    const expand = options.expand?.split(',').map((name) => name.trim()) ?? []
    await checkNames(expand, graph)
    output.line(renderText(graph, { colors: output.hasColours, groups, all, expand }))
    output.note(output.styleNote('dim', `from ${target}`))
    const { jaegerUrl } = config.tracing
    if (kind !== 'run' && jaegerUrl !== undefined && graph.traceId !== null) {
      output.note(output.styleNote('dim', `trace ${jaegerUrl.replace(/\/$/, '')}/trace/${graph.traceId}`))
    }
  },
})

/** @throws LABAN_USAGE for a name that the flow does not have, with the nearest that it has */
async function checkNames(names: readonly string[], { events, handlings }: FlowGraph): Promise<void> {
  const known = new Set([...handlings.map(({ agent }) => agent), ...events.map(({ topic }) => topic)])
  const stranger = names.find((name) => !known.has(name))
  if (stranger === undefined) return
  const { didYouMean } = await import('../../contracts/index.ts')
  const { LabanError } = await import('../../runtime/internal.ts')
  const problem = `no agent or topic of this flow is called ${stranger}${didYouMean(stranger, known)}`
  throw new LabanError('LABAN_USAGE', { problem })
}
