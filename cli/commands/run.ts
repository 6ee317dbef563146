/** `laban run`: agents as a process of their own on the real stack. */
import { defineCommand } from '../command.ts'

export const run = defineCommand({
  name: 'run',
  summary: 'Run agents on Kafka until a signal stops them',
  description:
    'Each file holds one agent; several share the process. SIGTERM drains: running handlers finish, offsets are committed. ' +
    'Health is served on http.host and http.port under /live and /ready, metrics for Prometheus under /metrics.',
  arguments: [{ name: 'files', summary: 'Agent files; the extension may be left out', isVariadic: true }],
  examples: [
    { command: 'laban run services/credit/credit-score', explains: 'One agent' },
    { command: 'laban run services/credit/*.ts --set http.port=9464', explains: 'All credit agents in one process' },
  ],
  async run(files, _options, { load, output }) {
    const { createLogger, createService, localStackValues, openKafka, openTracing } =
      await import('../../runtime/internal.ts')
    const { loadAgentFiles } = await import('../load-agents.ts')
    const { runUntilStopped } = await import('../run-service.ts')
    const { config } = await load(localStackValues())
    const log = createLogger(config.log)
    const agents = (await loadAgentFiles(files, process.cwd())).map(({ agent }) => agent)
    const stack = await openKafka({ config, log })
    const serviceName = agents[0]?.name ?? 'laban'
    const tracing = await openTracing(config, { serviceName, log })
    try {
      return await runUntilStopped((onFatal) => createService(stack, agents, { onFatal, tracer: tracing.tracer }), {
        config,
        log,
        serviceName,
        onRunning: (_service, port) =>
          output.note(
            `ready: ${agents.map((agent) => agent.name).join(', ')}; health on http://${config.http.host}:${port}/ready`,
          ),
      })
    } finally {
      await stack.close()
      await tracing.shutdown()
    }
  },
})
