/** `laban top`: how all agents get on, in one table that is rewritten in place. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

const MS_PER_S = 1_000

export const top = defineCommand({
  name: 'top',
  summary: 'Watch how flows and agents get on: time to the end, rate, lag, age, retries, dead letters',
  description:
    'Agents are read from the log alone, without Prometheus: manifests, committed offsets and facts. Flows are counted by the ledger, where ' +
    'there is one: how many are in progress, and how long those of the last five minutes took from their first event to their end. RATE counts accepted completions, LONG ' +
    'handlings that run for longer than two seconds and began while it watches, DEAD dead letters that nobody has dealt with; ' +
    'DRAINED IN says when the lag is gone at the present pace. q or Ctrl-C ends. Without a terminal, or with --once or --json, it ' +
    'looks twice, --every seconds apart, and says what it has found.',
  options: {
    once: { kind: 'flag', summary: 'Print one table and end' },
    every: { kind: 'number', unit: 's', minimum: 1, default: 2, summary: 'Time between two looks' },
    on: ON_OPTION,
    json: { kind: 'flag', summary: 'The figures of flows and agents as JSON, once; times in milliseconds' },
  },
  examples: [
    { command: 'laban top', explains: 'Until q' },
    { command: 'laban top --once --every 10', explains: 'One table with the rates of ten seconds' },
  ],
  async run(_args, options, context) {
    const { commandLog, openTarget } = await import('../target.ts')
    const { readingSource } = await import('../reading-source.ts')
    const { AgentWatch, delay } = await import('../../runtime/internal.ts')
    const { FlowWatch } = await import('../top/flow-watch.ts')
    const { figureLines, flowLine } = await import('../top/render.ts')
    const { openLastingFlowSource } = await import('../../services/ledger/index.ts')
    const { Screen } = await import('../top/screen.ts')
    const { onInterrupt } = await import('../interrupt.ts')
    const { output } = context
    const target = await openTarget(context, { on: options.on, purpose: 'read', log: commandLog() })
    const { clock } = target.stack
    const everyMs = options.every * MS_PER_S
    const watch = new AgentWatch(readingSource(target.stack), clock)
    const flowSource = await openLastingFlowSource(target.stack)
    const flowWatch = new FlowWatch(flowSource.source, clock)
    try {
      if (options.json || options.once || !output.isTerminal) {
        await watch.look()
        await delay(clock, everyMs)
        const [figures, flows] = await Promise.all([watch.look(), flowWatch.look()])
        if (options.json) return output.json({ flows, agents: figures })
        output.line(flowLine(flows, output.style))
        for (const line of figureLines(figures, output.style)) output.line(line)
        return output.note(output.styleNote('dim', `${figures.length} agents, from ${target.description}`))
      }
      using interrupt = onInterrupt()
      const quit = new AbortController()
      using screen = new Screen(process, () => quit.abort())
      const ended = AbortSignal.any([interrupt.signal, quit.signal])
      while (!ended.aborted) {
        const [figures, flows] = await Promise.all([watch.look(), flowWatch.look()])
        const lines = [flowLine(flows, output.style), ...figureLines(figures, output.style)]
        const head = `${new Date(clock.nowMs()).toISOString().slice(11, 19)}  from ${target.description}; q ends`
        screen.draw([output.style('dim', head), '', ...lines])
        await delay(clock, everyMs, ended)
      }
    } finally {
      await flowSource.close()
      await target.stack.close()
    }
  },
})
