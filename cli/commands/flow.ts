/** `laban flow <id>`: one flow read back: who said what, who heard it, who should have and did not. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const flow = defineCommand({
  name: 'flow',
  summary: 'Show one flow',
  description:
    'Events and handlings with joins, waiting time, latency, attempts and skipped duplicates, and whether the reconstruction is ' +
    'complete. Without --on it looks in a running laban dev, on Kafka and in the last embedded run, and says where it found it.',
  arguments: [{ name: 'id', summary: 'Flow id, the beginning of one, or the record key of one of its events' }],
  options: {
    format: { kind: 'choice', choices: ['tree', 'json', 'mermaid'], default: 'tree', summary: 'How to draw it' },
    fromLog: { kind: 'flag', summary: 'Read the events on their topics too and compare them with the facts' },
    on: ON_OPTION,
  },
  examples: [
    { command: 'laban flow 8bb8bc08-6b96-829f-a45a-752d24795b9f', explains: 'As a tree in the terminal' },
    {
      command: 'laban flow 8bb8bc08 --format mermaid',
      explains: 'As a sequence diagram; the beginning of the id is enough',
    },
    { command: 'laban flow 8bb8bc08 --from-log', explains: 'Rebuilt from the topics alone' },
  ],
  async run([id = ''], options, context) {
    const { findFlow } = await import('../find-flow.ts')
    const { renderJson, renderMermaid, renderTree } = await import('../../tracing/index.ts')
    const { output } = context
    const { graph, kind, target, config } = await findFlow(id, context, { on: options.on, fromLog: options.fromLog })
    if (options.format === 'json') return output.line(renderJson(graph))
    if (options.format === 'mermaid') return output.line(renderMermaid(graph))
    output.line(renderTree(graph, { colors: output.hasColours }))
    output.note(output.styleNote('dim', `from ${target}`))
    const { jaegerUrl } = config.tracing
    if (kind !== 'run' && jaegerUrl !== undefined && graph.traceId !== null) {
      output.note(output.styleNote('dim', `trace ${jaegerUrl.replace(/\/$/, '')}/trace/${graph.traceId}`))
    }
  },
})
