/** `laban demo`: five agents decide sample applications in one process, and one flow is read back. Needs nothing but Node. */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Stack } from '../../runtime/internal.ts'
import { defineCommand, type CommandContext } from '../command.ts'

const SAMPLE = join('services', 'credit', 'sample', 'applications.csv')
const AGENTS = ['services/credit/*.{ts,js}']
/** In the published package the demonstration is a folder of its own beside the command line. */
const PACKED = fileURLToPath(new URL('../../demo/', import.meta.url))
/** Applications arrive a little apart, so that a person can watch. */
const PAUSE_MS = 25
const TIMEOUT_MS = 30_000

export const demo = defineCommand({
  name: 'demo',
  summary: 'Watch five agents decide sample applications, embedded, and read one flow back',
  description:
    'Everything runs in this process. The log of the run is kept, so `laban flow` reads its flows afterwards.',
  examples: [{ command: 'laban demo', explains: 'Ends by itself within seconds' }],
  async run(_args, _options, context) {
    const { createLogger, openRecordedRun } = await import('../../runtime/internal.ts')
    // The demonstration shows itself; the log would only interleave with it.
    const loaded = await context.load({ origin: 'the demo', values: { log: { level: 'warn' } } })
    const log = createLogger(loaded.config.log)
    // In a checkout it plays with the checkout's own agents, so that an agent that somebody adds takes part.
    const isPacked = !existsSync(join(loaded.baseDir, SAMPLE))
    const baseDir = isPacked ? PACKED : loaded.baseDir
    const contractsDir = isPacked ? join(PACKED, 'contracts') : loaded.config.contractsDir
    const run = await openRecordedRun({ config: { ...loaded.config, contractsDir }, log })
    const flags = isPacked ? ` --set contractsDir=${relative(process.cwd(), contractsDir)}` : ''
    try {
      return await play(run.stack, { baseDir, flags }, context)
    } finally {
      await run.close()
    }
  },
})

/** Where its files are, and what a command needs to read its flows afterwards. */
interface Stage {
  readonly baseDir: string
  readonly flags: string
}

async function play(stack: Stack, { baseDir, flags }: Stage, { output }: CommandContext): Promise<number> {
  const { createService, delay, describeUnknown, LabanError, publisherOn } = await import('../../runtime/internal.ts')
  const { discoverAgents } = await import('../load-agents.ts')
  const { publishApplications, readApplications } = await import('../demo/applications.ts')
  const { showTally } = await import('../demo/show-tally.ts')
  const { printFlow, printTotals } = await import('../demo/print-result.ts')
  const agents = (await discoverAgents(AGENTS, baseDir)).map(({ agent }) => agent)
  const failures: unknown[] = []
  const service = await createService(stack, agents, { onFatal: (error) => failures.push(error) })
  await service.start()
  const applications = await readApplications(stack, join(baseDir, SAMPLE))
  output.line(`${agents.length} agents wait for events; ${applications.length} applications arrive.`)
  const publisher = await publisherOn(stack)
  const startedAtMs = stack.clock.nowMs()
  const publishing = publishApplications(publisher, applications, () => delay(stack.clock, PAUSE_MS))
  const ended = await showTally(stack, output, applications.length, TIMEOUT_MS)
  await publishing
  await publisher.close()
  await service.stop()
  const [failure] = failures
  if (failure !== undefined) {
    throw new LabanError('LABAN_INVARIANT', { problem: describeUnknown(failure) }, { cause: failure })
  }
  const flowId = await printTotals(stack, output, { startedAtMs, expected: applications.length, ended })
  if (flowId !== undefined) await printFlow(stack, output, { flowId, flags })
  return ended === applications.length ? 0 : 1
}
