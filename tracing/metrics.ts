/**
 * The table of all metrics: the only place where their names, units and labels are written. The rule it keeps: labels are bounded
 * (agents, topics, error codes, closed lists), never ids, so that a busy system has no more series than a quiet one.
 */
import { LEDGER_METRICS } from './metrics-ledger.ts'

/** What a metric is about. */
export type MetricArea = 'handling' | 'log' | 'joins' | 'flows' | 'process' | 'ledger' | 'machine'

/** One row of the table. */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly area: MetricArea
  /** In the notation of UCUM, as OpenTelemetry asks: `s`, `By`, `1` for a ratio or a yes or no, `{event}` for what is counted. */
  readonly unit: string
  readonly labels: readonly MetricLabel[]
  readonly meaning: string
}

/** Labels and what stands in them. */
export const METRIC_LABELS = {
  agent: 'name of the agent',
  topic:
    'topic of the handled event, without namespace; for a join that of the member that completed it; of a flow that of its first event; of the ledger the archived topic',
  status: 'state in which a flow has ended: `completed`, `failed` or another word of `laban flows`',
  version: 'version of the agent',
  error_code: 'code of the error table',
  reason: 'a word of a closed list, named with the metric',
  dependency: '`broker`, `store` (Redis) or `registry`',
} as const satisfies Readonly<Record<string, string>>

/** Every label that there is. */
export type MetricLabel = keyof typeof METRIC_LABELS

const AGENT = ['agent'] as const
const AGENT_TOPIC = ['agent', 'topic'] as const

/** Every metric by its OpenTelemetry name; see {@link prometheusName} for the other one. */
export const METRIC_TABLE = {
  'laban.handling.completed': {
    kind: 'counter',
    area: 'handling',
    unit: '{handling}',
    labels: AGENT_TOPIC,
    meaning:
      'Handlings that are accepted: outputs and fact are acknowledged by the broker. A handler that merely returned does not count.',
  },
  'laban.handling.rejected': {
    kind: 'counter',
    area: 'handling',
    unit: '{handling}',
    labels: AGENT_TOPIC,
    meaning: 'Events that the agent does not accept (`accepts` was false): a normal end.',
  },
  'laban.handling.duplicates': {
    kind: 'counter',
    area: 'handling',
    unit: '{event}',
    labels: AGENT_TOPIC,
    meaning: 'Events that were handled before and are skipped.',
  },
  'laban.handling.retries': {
    kind: 'counter',
    area: 'handling',
    unit: '{attempt}',
    labels: AGENT_TOPIC,
    meaning: 'Attempts that failed and are followed by another one.',
  },
  'laban.handling.dead_letters': {
    kind: 'counter',
    area: 'handling',
    unit: '{handling}',
    labels: AGENT_TOPIC,
    meaning: 'Handlings that were given up: their events lie in the dead-letter topic of the agent.',
  },
  'laban.handling.failures': {
    kind: 'counter',
    area: 'handling',
    unit: '{attempt}',
    labels: ['agent', 'topic', 'error_code'],
    meaning:
      'Why: retries and dead letters by their error. A series begins with its first failure, so alert on the two above.',
  },
  'laban.handling.quarantined': {
    kind: 'counter',
    area: 'handling',
    unit: '{handling}',
    labels: AGENT_TOPIC,
    meaning: 'Dead letters among them that had ended three processes and do not run again.',
  },
  'laban.handling.suspended': {
    kind: 'counter',
    area: 'handling',
    unit: '{handling}',
    labels: ['agent', 'topic', 'reason'],
    meaning: 'Handlings that wait on the log: `sleep` until a time, `parked` behind a failed event of their key.',
  },
  'laban.handling.finished': {
    kind: 'counter',
    area: 'handling',
    unit: '{event}',
    labels: AGENT,
    meaning:
      'Events taken off the log in whatever way: handled, refused, skipped, given up, or handed over to wait elsewhere.',
  },
  'laban.handling.takeovers': {
    kind: 'counter',
    area: 'handling',
    unit: '{handling}',
    labels: AGENT,
    meaning: 'Handlings that a dead process had begun and this one has taken over.',
  },
  'laban.handling.duration': {
    kind: 'histogram',
    area: 'handling',
    unit: 's',
    labels: AGENT,
    meaning: "Time in the agent's function, per attempt.",
  },
  'laban.handling.completion': {
    kind: 'histogram',
    area: 'handling',
    unit: 's',
    labels: AGENT_TOPIC,
    meaning:
      'Time to completion: from the moment an event was appended to the log until its handling was accepted, waiting and retries included.',
  },
  'laban.handling.in_progress': {
    kind: 'gauge',
    area: 'handling',
    unit: '{handling}',
    labels: AGENT,
    meaning: 'Handlings under way, from the first look at the store until their outputs are acknowledged.',
  },
  'laban.handling.limit': {
    kind: 'gauge',
    area: 'handling',
    unit: '{handling}',
    labels: AGENT,
    meaning: 'So many may run at once (`maxInFlight` of the agent).',
  },
  'laban.handling.oldest_age': {
    kind: 'gauge',
    area: 'handling',
    unit: 's',
    labels: AGENT,
    meaning: 'Age of the oldest event that this process holds and has not finished; 0 when there is none.',
  },
  'laban.handling.sleeping': {
    kind: 'gauge',
    area: 'handling',
    unit: '{handling}',
    labels: AGENT,
    meaning: 'Suspended handlings whose timers this process keeps.',
  },
  'laban.handling.parked_keys': {
    kind: 'gauge',
    area: 'handling',
    unit: '{key}',
    labels: AGENT,
    meaning: 'Keys whose events wait behind a failed one, on the partitions that this process holds.',
  },
  'laban.agent.info': {
    kind: 'gauge',
    area: 'process',
    unit: '1',
    labels: ['agent', 'version'],
    meaning: 'Always 1: which agents run here.',
  },
  'laban.agent.consuming': {
    kind: 'gauge',
    area: 'process',
    unit: '1',
    labels: AGENT,
    meaning: '1 while the agent is a member of its consumer groups, else 0.',
  },
  'laban.agent.paused': {
    kind: 'gauge',
    area: 'process',
    unit: '1',
    labels: ['agent', 'reason'],
    meaning:
      '1 while the agent takes nothing new: `failing` (most of its records fail), `cut-off` (the brokers do not answer), `store` (the store does ' +
      'not answer), `publish-blocked` (the broker refuses its outputs), `room` (it holds as much as it may), `pinned` (one unfinished record keeps too many finished ones from ' +
      'being committed), `draining` (the process ends).',
  },
  'laban.consumer.lag': {
    kind: 'gauge',
    area: 'log',
    unit: '{event}',
    labels: AGENT_TOPIC,
    meaning:
      'Events on the partitions that this process holds that are not finished, those it has not fetched yet included.',
  },
  'laban.consumer.drain_eta': {
    kind: 'gauge',
    area: 'log',
    unit: 's',
    labels: AGENT,
    meaning:
      'When the lag will be gone, at the rate at which events were finished during the last minute; 0 without lag, `+Inf` while nothing is finished, absent until the rate is known.',
  },
  'laban.records.open': {
    kind: 'gauge',
    area: 'log',
    unit: '{event}',
    labels: AGENT,
    meaning: 'Events that are fetched and not finished.',
  },
  'laban.records.limit': {
    kind: 'gauge',
    area: 'log',
    unit: '{event}',
    labels: AGENT,
    meaning: 'So many may be open at once (`maxInFlight` of the configuration, shared by the agents of the process).',
  },
  'laban.records.lost': {
    kind: 'counter',
    area: 'log',
    unit: '{event}',
    labels: AGENT_TOPIC,
    meaning: 'Offsets that retention or compaction removed before they were handled. Must stay 0.',
  },
  'laban.publish.blocked': {
    kind: 'gauge',
    area: 'log',
    unit: '{handling}',
    labels: AGENT,
    meaning: 'Handlings whose results the broker refuses: a right or a topic is missing, or a record is too large.',
  },
  'laban.partition.standstills': {
    kind: 'gauge',
    area: 'log',
    unit: '{partition}',
    labels: AGENT_TOPIC,
    meaning: 'Partitions whose offset to commit has stood still for 30 s because of one record; other keys go on.',
  },
  'laban.partition.standstill_age': {
    kind: 'gauge',
    area: 'log',
    unit: 's',
    labels: AGENT_TOPIC,
    meaning: 'How long the longest of them has lasted.',
  },
  'laban.join.members': {
    kind: 'counter',
    area: 'joins',
    unit: '{event}',
    labels: ['agent', 'topic', 'reason'],
    meaning:
      'Events that joined others without completing the join: `waiting`, or `late` when their topic had been heard before.',
  },
  'laban.join.begun': {
    kind: 'counter',
    area: 'joins',
    unit: '{join}',
    labels: AGENT,
    meaning:
      'Joins that have got their first member. Those that wait are the begun ones without the completed handlings of the agent.',
  },
  'laban.flow.duration': {
    kind: 'histogram',
    area: 'flows',
    unit: 's',
    labels: ['topic', 'status'],
    meaning:
      'Time from the first event of a flow (`topic`) to its end, counted by the ledger when every reaction has ended; a flow that is ' +
      'redriven and then ends as something else counts again. Ends of more than 15 minutes ago, as after a rebuild, are not counted.',
  },
  'laban.lease.renewals': {
    kind: 'counter',
    area: 'process',
    unit: '{renewal}',
    labels: [],
    meaning: "Renewals of this process's lease that the store answered.",
  },
  'laban.lease.failures': {
    kind: 'counter',
    area: 'process',
    unit: '{renewal}',
    labels: [],
    meaning: 'Renewals that the store did not answer.',
  },
  'laban.lease.losses': {
    kind: 'counter',
    area: 'process',
    unit: '{lease}',
    labels: [],
    meaning: 'Times that the lease had lapsed before it was renewed: others may have taken this process for dead.',
  },
  'laban.process.ready': {
    kind: 'gauge',
    area: 'process',
    unit: '1',
    labels: [],
    meaning: '1 while `/ready` answers 200, else 0.',
  },
  'laban.dependency.available': {
    kind: 'gauge',
    area: 'process',
    unit: '1',
    labels: ['dependency'],
    meaning: '1 while the server answers what this process asks of it, else 0.',
  },
  ...LEDGER_METRICS,
  'nodejs.eventloop.delay.p99': {
    kind: 'gauge',
    area: 'machine',
    unit: 's',
    labels: [],
    meaning:
      'How late timers fire, 99th percentile since the last reading; at most 10 s are looked back at when several read.',
  },
  'nodejs.eventloop.delay.max': {
    kind: 'gauge',
    area: 'machine',
    unit: 's',
    labels: [],
    meaning: 'The longest of these delays.',
  },
  'nodejs.eventloop.utilization': {
    kind: 'gauge',
    area: 'machine',
    unit: '1',
    labels: [],
    meaning: 'Share of the time since the last reading in which the event loop was busy, 0 to 1.',
  },
  'process.cpu.time': {
    kind: 'counter',
    area: 'machine',
    unit: 's',
    labels: [],
    meaning: 'CPU time of the process, user and system.',
  },
  'process.memory.usage': {
    kind: 'gauge',
    area: 'machine',
    unit: 'By',
    labels: [],
    meaning: 'Resident memory of the process.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>

/** OpenTelemetry name of a metric. */
export type MetricName = keyof typeof METRIC_TABLE

/** Names of one kind. */
export type MetricOfKind<K extends MetricDefinition['kind']> = {
  [N in MetricName]: (typeof METRIC_TABLE)[N]['kind'] extends K ? N : never
}[MetricName]

/** The labels of a metric with their values. */
export type LabelsOf<N extends MetricName> = Readonly<Record<(typeof METRIC_TABLE)[N]['labels'][number], string>>

/** Upper bounds of the buckets of every histogram, in seconds: from a handler that computes to one that waits for a person. */
export const BUCKET_BOUNDS_S: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600,
]

const UNIT_SUFFIXES: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' }

/** The name without the `_bucket`, `_sum` and `_count` that Prometheus adds for a histogram: `laban_handling_completed_total`. */
export function prometheusName(name: MetricName): string {
  const { kind, unit } = METRIC_TABLE[name]
  return `${name.replaceAll('.', '_')}${UNIT_SUFFIXES[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`
}

/** All series names that Prometheus knows of a metric. */
export function prometheusSeries(name: MetricName): readonly string[] {
  const base = prometheusName(name)
  return METRIC_TABLE[name].kind === 'histogram' ? [`${base}_bucket`, `${base}_sum`, `${base}_count`] : [base]
}
