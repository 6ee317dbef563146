/** The two choreographies of a run: what the checker is told of them, which files run them, and what is published. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckedAgent } from '../checker/history.ts'
import { between, seeded, type Random } from '../monkey/random.ts'

const HERE = import.meta.dirname
const PROJECT = join(HERE, '..', '..', '..')
const [APPLICATION_COLUMNS = '', ...SAMPLE] = readFileSync(
  join(PROJECT, 'services', 'credit', 'sample', 'applications.csv'),
  'utf8',
)
  .trim()
  .split('\n')
/** Keys have few events each, so that lanes run side by side, but some are met while an earlier one waits for its retry. */
const FLOWS_PER_LANE = 4

/** One choreography under load. */
export interface Load {
  readonly name: string
  readonly firstTopic: string
  readonly agents: readonly CheckedAgent[]
  /** Agent files of each kind of process. */
  readonly processes: readonly (readonly string[])[]
  /** Whether its agents call the outside world. */
  readonly callsWorld: boolean
  /** @default the project's contracts */
  readonly contractsDir?: string
  /** Columns of the rows. */
  readonly head: string
  readonly idColumn: string
  /** One line per flow: the same seed, the same rows. */
  rows(flows: number, seed: number): readonly string[]
}

function agent(name: string, topics: readonly string[], more: Partial<CheckedAgent>): CheckedAgent {
  return { name, topics, isJoin: false, always: [], oneOf: [], maybe: [], inOrder: {}, ...more }
}

function creditFiles(...names: readonly string[]): readonly string[] {
  return names.map((name) => join('services', 'credit', name))
}

const APPLICATIONS = 'credit.application-received'

/** The credit choreography: five agents, two of them joins, all within milliseconds. */
export const creditLoad: Load = {
  name: 'credit',
  firstTopic: APPLICATIONS,
  agents: [
    agent('credit.credit-score', [APPLICATIONS], { always: ['credit.score-calculated'] }),
    agent('credit.income-verification', [APPLICATIONS], { always: ['credit.income-verified'] }),
    agent('credit.fraud-detection', [APPLICATIONS], { always: ['credit.fraud-checked'] }),
    agent('credit.risk-assessment', ['credit.score-calculated', 'credit.income-verified'], {
      isJoin: true,
      always: ['credit.risk-assessed'],
    }),
    agent('credit.final-approval', ['credit.risk-assessed', 'credit.fraud-checked'], {
      isJoin: true,
      oneOf: ['credit.decision-made', 'credit.review-requested'],
    }),
  ],
  processes: [
    creditFiles('credit-score', 'income-verification', 'risk-assessment'),
    creditFiles('fraud-detection', 'final-approval'),
  ],
  callsWorld: false,
  head: APPLICATION_COLUMNS,
  idColumn: 'applicationId',
  rows: (flows, seed) => {
    const random = seeded(seed)
    return Array.from({ length: flows }, (_, index) => {
      const row = SAMPLE[between(random, 0, SAMPLE.length - 1)] ?? ''
      return `C-${index}${row.slice(row.indexOf(','))}`
    })
  },
}

/** Two agents: three steps with a charge that take 5 ms to `longestMs`, and a coin. Both fail now and then, and say something else each time. */
export function longLoad(longestMs = 30_000): Load {
  return {
    name: 'long',
    firstTopic: 'chaos.asked',
    agents: [
      agent('chaos.answerer', ['chaos.asked'], {
        always: ['chaos.answered'],
        maybe: ['chaos.remarked'],
        inOrder: { 'chaos.asked': 'chaos.answered' },
      }),
      agent('chaos.filer', ['chaos.answered'], { oneOf: ['chaos.filed', 'chaos.dropped'] }),
    ],
    processes: [[join(HERE, 'answerer')], [join(HERE, 'filer')]],
    contractsDir: join(HERE, 'contracts'),
    callsWorld: true,
    head: 'number,lane,waitMs',
    rows: (flows, seed) => {
      const random = seeded(seed)
      const lanes = Math.max(1, Math.floor(flows / FLOWS_PER_LANE))
      return Array.from({ length: flows }, (_, number) =>
        [number, `lane-${between(random, 0, lanes - 1)}`, waitMs(random, longestMs)].join(),
      )
    },
    idColumn: 'number',
  }
}

const SHORTEST_MS = 5

/** As many between 5 and 50 ms as between a tenth of the longest and the longest. */
function waitMs(random: Random, longestMs: number): number {
  return Math.round(SHORTEST_MS * (longestMs / SHORTEST_MS) ** random())
}
