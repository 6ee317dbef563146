/** `laban doctor`: whether everything that agents need is there, one line each, with the remedy where it is not. */
import { defineCommand } from '../command.ts'

const FAILED_EXIT = 69
const MARKS = { ok: ['green', 'ok     '], failed: ['red', 'failed '], skipped: ['dim', 'skipped'] } as const

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Check configuration, contracts and servers',
  description:
    'Looks at contracts, agent files, Kafka, topics, schemas, Redis, the ledger, OTLP and Jaeger. Changes nothing. Exits with 69 when something ' +
    'failed.',
  options: { json: { kind: 'flag', summary: 'As JSON' } },
  examples: [
    { command: 'laban doctor', explains: 'With the configuration of this folder' },
    { command: 'laban doctor --brokers 127.0.0.1:9092', explains: 'Against other brokers' },
  ],
  async run(_args, options, { output, load }) {
    const { runChecks } = await import('../doctor/checks.ts')
    const { createLogger, localStackValues } = await import('../../runtime/internal.ts')
    const loaded = await load(localStackValues())
    const results = []
    // Failures are reported as checks; the clients' own complaints would only repeat them.
    for await (const result of runChecks(loaded, createLogger({ level: 'silent', format: 'json' }))) {
      results.push(result)
      if (options.json) continue
      const [style, mark] = MARKS[result.status]
      output.line(`${output.style(style, mark)}  ${result.name.padEnd(9)}  ${result.detail}`)
      if (result.remedy !== undefined) output.line(`                    ${output.style('dim', '->')} ${result.remedy}`)
    }
    if (options.json) output.json(results)
    return results.some(({ status }) => status === 'failed') ? FAILED_EXIT : 0
  },
})
