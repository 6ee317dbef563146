/** The checks of `laban doctor`, in the order in which one builds on another. Each looks only; none changes anything. */
import { agentRights, planTopics, isPlanEmpty, subjectOf } from '../../contracts/index.ts'
import {
  contractsOf,
  describeUnknown,
  isLabanError,
  LabanError,
  openKafka,
  ownTopics,
  type Agent,
  type Config,
  type LoadedConfig,
  type Logger,
  type Stack,
} from '../../runtime/internal.ts'
import { isMigrated, openLedger } from '../../services/ledger/index.ts'
import { discoverAgents } from '../load-agents.ts'

/** What one check found. */
export interface CheckResult {
  readonly name: string
  readonly status: 'ok' | 'failed' | 'skipped'
  /** What was found, or why nothing was looked at. */
  readonly detail: string
  /** For a failed one: what to do. */
  readonly remedy?: string
}

/** Longest wait for an answer over HTTP. */
const HTTP_TIMEOUT_MS = 3_000

/** Runs all checks; what depends on a server that does not answer is skipped. */
export async function* runChecks(loaded: LoadedConfig, log: Logger): AsyncGenerator<CheckResult> {
  const { config } = loaded
  yield { name: 'Node', status: 'ok', detail: process.version }
  let agents: readonly Agent[] = []
  yield await check('contracts', () => `${contractsOf(config).topics.size} topics in ${config.contractsDir}`)
  yield await check('agents', async () => {
    agents = (await discoverAgents(config.agents, loaded.baseDir)).map(({ agent }) => agent)
    return agents.map(({ name }) => name).join(', ')
  })
  if (config.brokers.length === 0) {
    yield skipped('Kafka', 'no brokers are configured: everything runs embedded')
  } else yield* checkServers(loaded, agents, log)
  yield await checkLedger(config, log)
  yield* checkTracing(config.tracing)
}

async function* checkServers(
  { config }: LoadedConfig,
  agents: readonly Agent[],
  log: Logger,
): AsyncGenerator<CheckResult> {
  let stack: Stack | undefined
  const open = async (): Promise<string> => {
    stack = await openKafka({ config, log })
    return config.brokers.join(', ')
  }
  yield await check('Kafka', open, 'Start it (a local one with `npm run stack -- up`), or correct brokers.')
  if (stack === undefined) {
    for (const name of ['rights', 'topics', 'schemas', 'Redis']) yield skipped(name, 'Kafka cannot be reached')
    return
  }
  const opened = stack
  try {
    yield await check('rights', () => checkRights(opened, agents))
    yield await check('topics', () => checkTopics(opened, agents))
    yield await check('schemas', () => checkSchemas(opened), 'Start the registry, or correct registry.url.')
    yield await check('Redis', () => checkStore(opened), 'Start it, or correct redis.url.')
  } finally {
    await opened.close()
  }
}

/** What the agents of this folder need, for the user that is configured here. */
async function checkRights({ broker, contracts }: Stack, agents: readonly Agent[]): Promise<string> {
  await broker.checkRights?.(agents.flatMap((agent) => agentRights(agent, contracts)))
  return `all that ${agents.length} agents need`
}

async function checkTopics({ broker, contracts }: Stack, agents: readonly Agent[]): Promise<string> {
  const desired = [...contracts.topics.values(), ...ownTopics(agents, contracts)]
  const existing = new Set(await broker.admin.listTopics())
  const missing = desired.filter(({ name }) => !existing.has(name))
  const [first] = missing
  if (first !== undefined) {
    const others = missing.length === 1 ? '' : ` and ${missing.length - 1} more`
    throw new LabanError('LABAN_TOPIC_MISSING', { topic: first.name + others })
  }
  const found = await broker.admin.describeTopics(desired.map(({ name }) => name))
  if (found.some(({ config }) => Object.keys(config).length === 0)) {
    return `${desired.length} exist; this user may not read their settings`
  }
  const plan = planTopics(desired, found)
  const wanted = new Map(desired.map(({ name, partitions }) => [name, partitions]))
  const grown = found.filter(({ topic, partitions }) => partitions > (wanted.get(topic) ?? partitions))
  const more = grown.map(
    ({ topic, partitions }) => `; ${topic} has ${partitions} partitions, more than its contract says`,
  )
  const text = isPlanEmpty(plan)
    ? `${desired.length} as the contracts say`
    : `${desired.length} exist; some differ from the contracts, see laban topics apply --dry-run`
  return text + more.join('')
}

async function checkSchemas({ contracts, registry, config }: Stack): Promise<string> {
  const where = config.registry.url === undefined ? 'the contracts folder' : config.registry.url
  for (const { name, schemaText } of contracts.topics.values()) {
    const subject = subjectOf(name, config.namespace)
    if ((await registry.lookup(subject, schemaText)) === undefined) {
      throw new LabanError('LABAN_SCHEMA_MISSING', { topic: name, subject })
    }
  }
  return `${contracts.topics.size} registered in ${where}`
}

async function checkStore(stack: Stack): Promise<string> {
  const { version, unsafe, full } = await (await stack.store()).health()
  const url = 'redis.url'
  if (full) throw new LabanError('LABAN_STORE_UNAVAILABLE', { url, problem: 'its memory is full' })
  if (unsafe.length > 0) throw new LabanError('LABAN_STORE_UNSAFE', { url, problem: unsafe.join('; ') })
  return `version ${version}, keeps claims`
}

/** Agents never need it, so a ledger that was never started is no failure. */
async function checkLedger(config: Config, log: Logger): Promise<CheckResult> {
  const open = await openLedger(config, log)
  if (open === undefined) return skipped('ledger', 'none is configured: flows are read from the log')
  const { database, tables } = open
  const look = async (): Promise<string> => {
    const isThere = await isMigrated(database, tables)
    return `${database.description}${isThere ? '' : '; never started: run `laban ledger run` for quick answers'}`
  }
  try {
    return await check('ledger', look, 'Start PostgreSQL, or correct ledger.url. Agents run without it.')
  } finally {
    await database.close()
  }
}

async function* checkTracing(tracing: LoadedConfig['config']['tracing']): AsyncGenerator<CheckResult> {
  const { enabled, otlpUrl, jaegerUrl } = tracing
  if (!enabled || otlpUrl === undefined) yield skipped('OTLP', 'tracing.otlpUrl is not set: no traces are sent')
  else {
    const url = `${otlpUrl.replace(/\/(v1\/traces)?$/, '')}/v1/traces`
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"resourceSpans":[]}' }
    yield await checkHttp('OTLP', url, 'tracing.otlpUrl', request)
  }
  if (jaegerUrl === undefined) yield skipped('Jaeger', 'tracing.jaegerUrl is not set: flows link to no traces')
  else yield await checkHttp('Jaeger', `${jaegerUrl.replace(/\/$/, '')}/api/services`, 'tracing.jaegerUrl', {})
}

async function checkHttp(name: string, url: string, key: string, request: RequestInit): Promise<CheckResult> {
  const remedy = `Start it, or correct ${key}. Agents run without it.`
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) })
    await response.body?.cancel()
    return response.ok
      ? { name, status: 'ok', detail: url }
      : { name, status: 'failed', detail: `${url} answers ${response.status}`, remedy }
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    return { name, status: 'failed', detail: `${url}: ${describeUnknown(cause)}`, remedy }
  }
}

/** `whenAway` is the remedy for a server that does not answer; other errors bring their own. */
async function check(name: string, look: () => string | Promise<string>, whenAway?: string): Promise<CheckResult> {
  try {
    return { name, status: 'ok', detail: await look() }
  } catch (error) {
    if (!isLabanError(error)) throw error
    const isAway = error.code.endsWith('_UNAVAILABLE')
    return { name, status: 'failed', detail: error.message, remedy: (isAway ? whenAway : undefined) ?? error.remedy }
  }
}

function skipped(name: string, detail: string): CheckResult {
  return { name, status: 'skipped', detail }
}
