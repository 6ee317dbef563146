/** Rows of the table of metrics that only the ledger gives; what they must be `metrics.ts` checks. */

/** By OpenTelemetry name. */
export const LEDGER_METRICS = {
  'laban.ledger.facts': {
    kind: 'counter',
    area: 'ledger',
    unit: '{fact}',
    labels: [],
    meaning: 'Facts stored.',
  },
  'laban.ledger.lag': {
    kind: 'gauge',
    area: 'ledger',
    unit: '{fact}',
    labels: [],
    meaning: 'Facts on the partitions that this process holds that are not stored.',
  },
  'laban.ledger.lag_age': {
    kind: 'gauge',
    area: 'ledger',
    unit: 's',
    labels: [],
    meaning:
      'Age of the oldest fact that is read and not stored; 0 when there is none. So old is what `laban flows` shows.',
  },
  'laban.ledger.stale_flows': {
    kind: 'gauge',
    area: 'ledger',
    unit: '{flow}',
    labels: [],
    meaning: 'Flows with facts that are stored and of which their line does not tell yet.',
  },
  'laban.ledger.batch_duration': {
    kind: 'histogram',
    area: 'ledger',
    unit: 's',
    labels: [],
    meaning: 'Time of the transaction that stores a batch of facts.',
  },
  'laban.ledger.retries': {
    kind: 'counter',
    area: 'ledger',
    unit: '{attempt}',
    labels: ['reason'],
    meaning:
      'Pieces of work that failed and are tried again: `facts`, `flows`, `manifests`, `indexes`, `archive`, `retention`.',
  },
  'laban.ledger.lost': {
    kind: 'counter',
    area: 'ledger',
    unit: '{fact}',
    labels: [],
    meaning: 'Facts that left the log before the ledger read them. Must stay 0.',
  },
  'laban.ledger.archived': {
    kind: 'counter',
    area: 'ledger',
    unit: '{event}',
    labels: ['topic'],
    meaning: 'Records stored of a topic that is archived.',
  },
  'laban.ledger.archive_lag': {
    kind: 'gauge',
    area: 'ledger',
    unit: '{event}',
    labels: ['topic'],
    meaning: 'Records that this process is to archive and has not stored.',
  },
  'laban.ledger.archive_lost': {
    kind: 'counter',
    area: 'ledger',
    unit: '{event}',
    labels: ['topic'],
    meaning: 'Records that left the log before they were archived. Must stay 0.',
  },
} as const
