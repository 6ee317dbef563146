/** `laban console`: topology, flows, stuck work and dead letters in a browser. */
import { defineCommand } from '../command.ts'
import { ON_OPTION } from '../target-option.ts'

export const console = defineCommand({
  name: 'console',
  summary: 'Look at agents, flows and dead letters in a browser',
  description:
    'Serves one page on this machine. It only reads, unless it is started with an operator token ' +
    '(LABAN_CONSOLE_OPERATOR_TOKEN): then dead letters can be redriven, corrected and discarded there.',
  options: {
    port: { kind: 'number', unit: 'port', minimum: 0, summary: 'Instead of console.port; 0 for any free one' },
    on: ON_OPTION,
  },
  examples: [
    { command: 'laban console', explains: 'Prints the address to open; Ctrl-C ends it' },
    { command: 'laban console --on run', explains: 'Looks at the last embedded run' },
  ],
  async run(_args, options, context) {
    const { openTarget } = await import('../target.ts')
    const { createLogger } = await import('../../runtime/internal.ts')
    const { openLastingFlowSource } = await import('../../services/ledger/index.ts')
    const { startConsole } = await import('../../console/server/start-console.ts')
    const { readingSource } = await import('../reading-source.ts')
    const { untilSignal } = await import('../run-service.ts')
    const { readVersion } = await import('../version.ts')
    const { output } = context
    const log = createLogger((await context.load()).config.log)
    const target = await openTarget(context, { on: options.on, purpose: 'read', log })
    try {
      const { stack, kind, description } = target
      const flows = await openLastingFlowSource(stack)
      const settings = stack.config.console
      const running = await startConsole({
        ...{ stack, source: flows.source, codec: readingSource(stack).codec, target: description },
        version: readVersion(),
        host: settings.host,
        port: options.port ?? settings.port,
        allowedHosts: settings.allowedHosts,
        operatorToken: settings.operatorToken && (() => settings.operatorToken?.reveal() ?? ''),
        isWritable: kind !== 'run',
        ...(kind === 'kafka' ? { store: stack.store } : {}),
        onBuild: () => output.note('making the page of the console'),
      })
      try {
        output.line(`console of ${description}, flows from ${flows.description}: ${running.url}`)
        await untilSignal(log)
      } finally {
        await running.close()
        await flows.close()
      }
    } finally {
      await target.stack.close()
    }
  },
})
