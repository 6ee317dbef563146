/** `laban flow <id>`: one flow read back: who said what, who heard it, who should have and did not. */
import type { FlowGraph, TextOptions } from '../../tracing/index.ts'
import { defineCommand, type CommandContext } from '../command.ts'
import type { FindOptions, FoundFlow } from '../find-flow.ts'
import { ON_OPTION } from '../target-option.ts'

/** Followed to an end that is no success. */
const FAILED_EXIT = 65
const MS_PER_S = 1_000

export const flow = defineCommand({
  name: 'flow',
  summary: 'Show one flow',
  description:
    'Events and handlings with joins, waiting time, latency, attempts and skipped duplicates, and whether the reconstruction is ' +
    'complete. A flow that would take more than 200 lines is drawn by groups of agent and event type. Without --on it looks in a ' +
    'running laban dev, on Kafka and in the last embedded run, and says where it found it. With --follow it waits for a flow that ' +
    'nobody knows yet, and exits with 65 when the flow fails or stands still.',
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
      metavar: 'agent or topic,…',
      summary: 'By groups, and list the members of these one by one: what failed or waits first, then the slowest',
    },
    all: { kind: 'flag', summary: 'Every event and handling by itself, however many' },
    bodies: { kind: 'flag', summary: 'Show what the events say, personal fields masked' },
    unmask: { kind: 'flag', summary: 'With --bodies: personal fields too, where reading.allowUnmask is set' },
    follow: { kind: 'flag', summary: 'Tell what happens until the flow ends, then show it' },
    wait: {
      kind: 'number',
      unit: 's',
      minimum: 0,
      default: 10,
      summary: 'With --follow: how long to wait for a flow that has not begun; 0 for not at all',
    },
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
    { command: 'laban flow 8bb8bc08 --bodies', explains: 'With what the events say' },
    { command: 'laban flow 8bb8bc08 --follow', explains: 'Until it ends' },
    { command: 'laban flow 8bb8bc08 --from-log', explains: 'Rebuilt from the topics alone' },
  ],
  async run([id = ''], options, context) {
    const { withFlow } = await import('../find-flow.ts')
    const look = { on: options.on, fromLog: options.fromLog }
    if (options.follow) return followToEnd(id, { ...look, waitSeconds: options.wait }, context)
    return withFlow(id, context, look, async (found) => {
      const { graph, config } = found
      const expand = options.expand?.split(',').map((name) => name.trim()) ?? []
      await checkNames(expand, graph)
      const { checkUnmask } = await import('../flow/bodies.ts')
      checkUnmask(options.unmask, config)
      if (options.format === 'json') return printJson(found, options, context)
      if (options.format === 'mermaid') {
        const { renderMermaid } = await import('../../tracing/index.ts')
        return context.output.line(renderMermaid(graph))
      }
      const { groups, all, bodies, unmask } = options
      await printText(found, { groups, all, expand }, { context, ...(bodies ? { unmask } : {}) })
    })
  },
})

interface JsonOptions {
  readonly groups: boolean
  readonly bodies: boolean
  readonly unmask: boolean
}

async function printJson(
  { graph, log }: FoundFlow,
  { groups, bodies, unmask }: JsonOptions,
  { output }: CommandContext,
): Promise<void> {
  const { FlowGroups, renderJson } = await import('../../tracing/index.ts')
  if (groups) return output.json(new FlowGroups(graph).overview)
  if (!bodies) return output.line(renderJson(graph))
  const { bodiesJson } = await import('../flow/bodies.ts')
  const { jsonText } = await import('../dlq/show-letters.ts')
  output.line(jsonText({ ...graph, bodies: await bodiesJson(graph, log, { unmask }) }))
}

/** `unmask` is there when bodies are asked for. */
async function printText(
  { graph, log, kind, target, config }: FoundFlow,
  text: TextOptions,
  { context: { output }, unmask }: { readonly context: CommandContext; readonly unmask?: boolean },
): Promise<void> {
  const { renderText } = await import('../../tracing/index.ts')
  const { renderWithBodies } = await import('../flow/bodies.ts')
  const options = { ...text, colors: output.hasColours }
  output.line(
    unmask === undefined ? renderText(graph, options) : await renderWithBodies(graph, log, { ...options, unmask }),
  )
  output.note(output.styleNote('dim', `from ${target}`))
  const { jaegerUrl } = config.tracing
  if (kind !== 'run' && jaegerUrl !== undefined && graph.traceId !== null) {
    output.note(output.styleNote('dim', `trace ${jaegerUrl.replace(/\/$/, '')}/trace/${graph.traceId}`))
  }
}

async function followToEnd(
  id: string,
  { on, fromLog, waitSeconds }: Omit<FindOptions, 'wait'> & { readonly waitSeconds: number },
  context: CommandContext,
): Promise<number> {
  const { withFlow } = await import('../find-flow.ts')
  const { followFlow } = await import('../flow/follow.ts')
  const { onInterrupt } = await import('../interrupt.ts')
  const { durationText, flowEnd } = await import('../../tracing/index.ts')
  const { output } = context
  using interrupt = onInterrupt()
  const { signal } = interrupt
  const onWait = (): void => output.note(`${id} has not begun; waiting for it for up to ${waitSeconds} s`)
  const wait = { forMs: waitSeconds * MS_PER_S, signal, onWait }
  return await withFlow(id, context, { on, fromLog, wait }, async (found) => {
    const read = (): Promise<FlowGraph> => found.source.flow(found.graph.flowId, { fromLog })
    const graph = await followFlow(found.graph, { read, output, signal })
    const end = flowEnd(graph)
    output.line()
    await printText({ ...found, graph }, {}, { context })
    const took = graph.durationMs === null ? '' : ` after ${durationText(graph.durationMs)}`
    if (end === 'goes on') output.note('no longer followed; the flow goes on')
    else if (end === 'stands still') output.note(`the flow stands still${took}: laban why ${graph.flowId}`)
    else output.note(`the flow has ended${took}: ${graph.status}`)
    return end === 'goes on' || graph.status === 'completed' ? 0 : FAILED_EXIT
  })
}

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
