/** The console within `laban dev`: a help that never stops the run. Its port may be taken by another run; then any free one will do. */
import type { RunningConsole } from '../../console/server/start-console.ts'
import type { FlowSource, Stack } from '../../runtime/internal.ts'
import type { Output } from '../output.ts'

/** Serves the console of a run in this process; undefined when it could not. Flows come from the log where no ledger gives them. */
export async function serveConsole(
  stack: Stack,
  output: Output,
  flows?: FlowSource,
): Promise<RunningConsole | undefined> {
  const { describeUnknown, isLabanError, logFlowSource } = await import('../../runtime/internal.ts')
  const { startConsole } = await import('../../console/server/start-console.ts')
  const { readingSource } = await import('../reading-source.ts')
  const { readVersion } = await import('../version.ts')
  const source = readingSource(stack)
  const { host, port, allowedHosts, operatorToken } = stack.config.console
  const start = (at: number): Promise<RunningConsole> =>
    startConsole({
      ...{ stack, source: flows ?? logFlowSource(source), codec: source.codec },
      target: `laban dev (process ${process.pid})`,
      store: stack.store,
      ...{ version: readVersion(), host, port: at, allowedHosts },
      operatorToken: operatorToken && (() => operatorToken.reveal()),
      makePage: 'when-asked',
    })
  try {
    return await start(port).catch((error: unknown) => {
      if (isLabanError(error) && error.code === 'LABAN_CONSOLE_PORT') return start(0)
      throw error
    })
  } catch (error) {
    output.note(`the console is not there: ${describeUnknown(error)}`)
    return undefined
  }
}
