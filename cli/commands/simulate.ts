/** `laban simulate`: agents in memory under virtual time and faults from a seed, many runs; a violation is shown with all it takes to see it again. */
import { defineCommand, type CommandContext } from '../command.ts'
import type { SimulationReport } from '../../runtime/internal.ts'

export const simulate = defineCommand({
  name: 'simulate',
  summary: 'Run agents under virtual time with crashes, stalls and lost answers, and judge every run',
  description:
    'Each run draws its faults from its seed: the same seed is the same run. First events come from a file, or are generated from the ' +
    'contracts of the topics that no agent writes. Ends with status 1 at the first violation, which it shows with the fewest faults ' +
    'that it takes and the command that repeats it. Handlers must do without real timers and I/O; one that does not is reported.',
  arguments: [{ name: 'agents', summary: 'Agent files', isVariadic: true }],
  options: {
    seed: {
      kind: 'number',
      unit: 'seed',
      minimum: 0,
      default: 1,
      summary: 'Seed of the first run; the next has the next number',
    },
    runs: { kind: 'number', unit: 'runs', minimum: 1, default: 100, summary: 'Number of runs' },
    flows: { kind: 'number', unit: 'flows', minimum: 1, default: 50, summary: 'Flows of each run' },
    faults: { kind: 'number', unit: 'faults', minimum: 0, default: 5, summary: 'Faults of each run, at least' },
    events: {
      kind: 'text',
      metavar: 'topic=file',
      summary: 'First events: a topic and a .jsonl file of its values',
    },
  },
  examples: [
    {
      command:
        'laban simulate services/research/*.ts --runs 3 --flows 10 --events research.requested=services/research/sample/requests.jsonl',
      explains: 'Three runs with events from a file',
    },
  ],
  async run(files, options, context) {
    const { describeViolation, simulateAll } = await import('../../runtime/internal.ts')
    const { loadAgentFiles } = await import('../load-agents.ts')
    const { config, baseDir } = await context.load()
    const agents = (await loadAgentFiles(files, baseDir)).map(({ agent }) => agent)
    const { seed, runs, flows, faults } = options
    const events = options.events === undefined ? {} : { events: await readEvents(options.events) }
    const beganAtMs = performance.now()
    let shownAtMs = beganAtMs
    const report = await simulateAll(agents, {
      ...{ seed, runs, flows, faults, contracts: config.contractsDir, ...events },
      onRun: (done, soFar) => {
        if (performance.now() - shownAtMs < SHOW_EVERY_MS) return
        shownAtMs = performance.now()
        const count = Object.values(soFar().faults).reduce((sum, one) => sum + one, 0)
        context.output.line(`${done} of ${runs} runs, ${count} faults, no violation`)
      },
    })
    print(report, performance.now() - beganAtMs, context)
    if (report.violation === undefined) return 0
    const again = options.events === undefined ? '' : ` --events ${options.events}`
    context.output.line(describeViolation(report.violation))
    context.output.line(
      `again: laban simulate ${files.join(' ')} --seed ${report.violation.seed} --runs 1 --flows ${flows} --faults ${faults}${again}`,
    )
    return 1
  },
})

const SHOW_EVERY_MS = 5_000

function print(report: SimulationReport, tookMs: number, { output }: CommandContext): void {
  const { runs, flows, events, fewestFaults, digest, virtualMs } = report
  const perSecond = ((runs / tookMs) * 1_000).toFixed(1)
  output.line(
    `${runs} runs from seed ${report.seed}, ${flows} flows, ${events} events, ${Math.round(virtualMs / 3_600_000)} virtual hours, ${perSecond} runs/s`,
  )
  output.line(`faults (at least ${fewestFaults} a run): ${counts(report.faults)}`)
  output.line(`died at: ${counts(report.crashPoints)}`)
  output.line(`outcomes: ${counts(report.outcomes)}`)
  output.line(`trace ${digest}`)
}

function counts(of: Readonly<Record<string, number>>): string {
  return (
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none'
  )
}

/** `topic=file`: every row is a value of the topic. */
async function readEvents(given: string): Promise<{ topic: string; value: unknown }[]> {
  const { LabanError } = await import('../../runtime/internal.ts')
  const { openSource, readRows } = await import('../publish/read-rows.ts')
  const [topic = '', file] = given.split('=')
  if (file === undefined || file === '') {
    throw new LabanError('LABAN_SIMULATION_NO_EVENTS', { problem: `--events ${given} is not topic=file` })
  }
  const values: { topic: string; value: unknown }[] = []
  for await (const { cells, problem, line } of (await readRows(await openSource(file, 'jsonl'))).rows) {
    if (problem !== undefined) {
      throw new LabanError('LABAN_SIMULATION_NO_EVENTS', { problem: `${file}:${line}: expected ${problem.expected}` })
    }
    values.push({ topic, value: cells })
  }
  return values
}
