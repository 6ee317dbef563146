/** `laban dev`: all agents in one process with everything they need in memory; other terminals reach it, edits are taken up. */
import { resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { openDevLedger } from '../dev/open-dev-ledger.ts'
import { serveConsole } from '../dev/serve-console.ts'

export const dev = defineCommand({
  name: 'dev',
  summary: 'Run all agents embedded, reload them on edits, and let other terminals publish and read',
  description:
    'Agents are the files that match `agents` in the configuration. The log and the claims live in this process and are kept in a ' +
    'file below stateDir, so that `laban flow` reads them afterwards. An edited agent drains before the new one takes over.',
  options: {
    ledger: {
      kind: 'flag',
      summary: 'The console reads flows from a ledger in memory, as it will on Kafka; takes some seconds and 400 MB',
    },
  },
  examples: [
    { command: 'laban dev', explains: 'Stays up until Ctrl-C; publish and flow in another terminal' },
    { command: 'laban dev --ledger', explains: 'With the ledger behind the console' },
  ],
  async run(_args, options, { load, output }) {
    const internal = await import('../../runtime/internal.ts')
    const { createLogger, createService, openDevPort, openMetrics, openRecordedRun, openTracing } = internal
    const { removeDevFile, serveHealth, startingHealth, writeDevFile } = internal
    const { enableFreshImports } = await import('../dev/fresh-modules.ts')
    const { Generations } = await import('../dev/generations.ts')
    const { watchFiles, watchRoots } = await import('../dev/watch-files.ts')
    const { findAgentFiles } = await import('../load-agents.ts')
    const { untilSignal } = await import('../run-service.ts')
    const { config, baseDir } = await load()
    const log = createLogger(config.log)
    const run = await openRecordedRun({ config, log })
    const tracing = await openTracing(config, { serviceName: 'laban.publish', log })
    enableFreshImports()
    const generations = new Generations({
      files: () => findAgentFiles(config.agents, baseDir),
      start: async (agents) => {
        const service = await createService(run.stack, agents, {
          onFatal: (error) => log.error('an agent cannot go on; edit it to try again', { error }),
          tracer: tracing.tracer,
        })
        await service.start()
        return service
      },
      log,
      onGeneration: (agents) => output.line(`running ${agents.map((agent) => agent.name).join(', ')}`),
    })
    const port = await openDevPort(run.stack)
    const source = async () => generations.service?.metrics()
    const metrics = await openMetrics(config, { serviceName: 'laban.dev', log, source })
    const health = () => generations.service?.health ?? startingHealth
    const http = await serveHealth({ health, metrics: metrics?.text }, config.http)
    const ledger = options.ledger ? await openDevLedger(run.stack, output) : undefined
    const console = config.console.inDev ? await serveConsole(run.stack, output, ledger?.source) : undefined
    try {
      await generations.start()
      await writeDevFile(config.stateDir, { url: port.url, token: port.token, pid: process.pid })
      const stopWatching = watchFiles(watchRoots(config.agents, baseDir), (files) => {
        output.line(`changed: ${files.join(', ')}`)
        void generations.reload()
      })
      output.line(`ready; publish and read from another terminal. Log of this run: ${resolve(run.file)}`)
      if (metrics !== undefined) output.line(`metrics on http://${config.http.host}:${http.port}/metrics`)
      if (console !== undefined) output.line(`console on ${console.url}`)
      await untilSignal(log)
      stopWatching()
    } finally {
      await removeDevFile(config.stateDir, process.pid)
      await console?.close()
      await ledger?.close()
      await generations.stop()
      await http.close()
      await metrics?.shutdown()
      await port.close()
      await run.close()
      await tracing.shutdown()
    }
  },
})
