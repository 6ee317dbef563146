/** What an instance of the ledger announces: an agent of laban's own, which reads facts and manifests and publishes nothing. */
import { hostname } from 'node:os'
import { AGENTS_TOPIC, FACTS_TOPIC, MANIFEST_FORMAT_VERSION, type Manifest } from '../../contracts/index.ts'
import { LEDGER_AGENT } from './ledger-figures.ts'

/** One instance now. */
export interface LedgerNow extends Pick<Manifest, 'instance' | 'version' | 'state' | 'startedAtMs' | 'seenAtMs'> {
  /** What keeps it from going on, by piece of work. */
  readonly problems: ReadonlyMap<string, string>
}

/** The manifest. */
export function ledgerManifest({ instance, version, state, startedAtMs, seenAtMs, problems }: LedgerNow): Manifest {
  const [problem] = problems.values()
  return {
    formatVersion: MANIFEST_FORMAT_VERSION,
    agent: LEDGER_AGENT,
    summary: 'Keeps the queryable view of all flows.',
    ...{ instance, version, state, startedAtMs, seenAtMs },
    host: hostname(),
    pid: process.pid,
    consumes: [FACTS_TOPIC, AGENTS_TOPIC],
    join: false,
    always: [],
    oneOf: [],
    maybe: [],
    policies: {},
    problems: problem === undefined ? {} : { consume: problem },
    schemaIds: {},
    subscribedFrom: {},
  }
}
