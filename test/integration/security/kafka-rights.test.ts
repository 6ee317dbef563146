/** With exactly the rights that `laban acl` prints agents work end to end, with any one less they do not; what is denied is said. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { agentRights, agentTopicSettings, physicalName, publisherRights, type Right } from '../../../contracts/index.ts'
import { plannedTopic } from '../../../contracts/topic-plan.ts'
import {
  createService,
  loadConfig,
  openKafka,
  publisherOn,
  type Service,
  type Stack,
} from '../../../runtime/internal.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { startPrivateRedis, type PrivateRedis } from '../../conformance/store-server.ts'
import { runLaban } from '../../harness/run-laban.ts'
import { startSecuredKafka, type BrokerRight, type SecuredKafka } from '../../harness/secured-kafka.ts'
import { uniqueName } from '../../harness/unique-name.ts'
import { waitFor } from '../../harness/wait.ts'
import joiner from '../../e2e/agents/joiner.ts'
import leftWorker from '../../e2e/agents/left-worker.ts'
import noter from '../../e2e/agents/noter.ts'
import rightWorker from '../../e2e/agents/right-worker.ts'
import splitter from '../../e2e/agents/splitter.ts'
import { trialAgent } from '../../e2e/agents/trial-agent.ts'

const AGENTS_DIR = join(import.meta.dirname, '..', '..', 'e2e', 'agents')
const CONTRACTS = join(AGENTS_DIR, 'contracts')
/** Fails once for the number 7: what follows it under its key waits. Number 8 sleeps too long to be kept in memory. */
const mender = trialAgent({
  name: 'trial.mender',
  consumes: 'trial.begun',
  produces: ['trial.noted'],
  retry: { maxAttempts: 3, laneAttempts: 1, tiersMs: [500] },
  async handle(event, { publish, attempt, sleep }) {
    const { number } = event as { number: number }
    if (number === 8) await sleep('rest', 5_100)
    if (number === 7 && attempt === 1) throw new TypeError('not yet')
    publish('trial.noted', { number, lane: 'a', nonce: 'n' })
  },
})
const AGENTS = [splitter, leftWorker, rightWorker, joiner, mender]
const PASSWORD = 'a-password'
const TOLD_WITHIN_MS = 20_000

const namespace = uniqueName('rights')
let kafka: SecuredKafka
let redis: PrivateRedis
beforeAll(async () => {
  redis = await startPrivateRedis()
  const users = ['worker', 'noter', 'publisher', 'lesser', 'nobody']
  kafka = await startSecuredKafka(Object.fromEntries(users.map((user) => [user, PASSWORD])))
  const stack = await openAs(undefined)
  const own = [...AGENTS, noter].flatMap((agent) => agentTopicSettings(agent, stack.contracts))
  const planned = [...stack.contracts.topics.values(), ...own].map(plannedTopic)
  await stack.broker.admin.createTopics(planned.map((topic) => ({ ...topic, partitions: 1 })))
  await stack.close()
})
afterAll(() => Promise.all([kafka.close(), redis.close()]))

/** The stack as some user; as the administrator when none is named. */
async function openAs(user: string | undefined): Promise<Stack> {
  const access =
    user === undefined
      ? {}
      : {
          ssl: true,
          sslCaFile: kafka.authority.ca,
          saslMechanism: 'scram-sha-256' as const,
          saslUsername: user,
          saslPassword: PASSWORD,
        }
  const overrides = {
    brokers: [user === undefined ? kafka.openBrokers : kafka.brokers],
    namespace,
    contractsDir: CONTRACTS,
    stateDir: kafka.folder,
    kafka: access,
    redis: { url: redis.url },
  }
  const { config } = loadConfig({ environment: {}, cwd: kafka.folder, overrides })
  return openKafka({ config, log: silentLogger })
}

function onBroker(rights: readonly Right[]): BrokerRight[] {
  return rights.map((right) => ({ ...right, name: physicalName(right, namespace) }))
}

async function grantAll(user: string, rights: readonly Right[]): Promise<void> {
  const distinct = new Map(onBroker(rights).map((right) => [`${right.operation} ${right.name}`, right]))
  await kafka.grant(user, [...distinct.values()])
}

/** A running service of one user; its end is the test's. */
async function serve(
  user: string,
  agents = AGENTS,
): Promise<{ service: Service; stack: Stack; fatal: Promise<unknown> }> {
  const stack = await openAs(user)
  onTestFinished(() => stack.close())
  const { promise: fatal, resolve } = Promise.withResolvers<unknown>()
  const service = await createService(stack, agents, { onFatal: resolve })
  onTestFinished(() => service.stop())
  await service.start()
  return { service, stack, fatal }
}

async function endOf(topic: string): Promise<number> {
  const stack = await openAs(undefined)
  try {
    return (await stack.broker.admin.offsets(topic)).reduce((sum, { endOffset }) => sum + endOffset, 0)
  } finally {
    await stack.close()
  }
}

/** Appends a record to each topic that nobody can decode. */
async function spoil(topics: readonly string[]): Promise<void> {
  const stack = await openAs(undefined)
  try {
    const producer = await stack.broker.producer()
    await producer.send(topics.map((topic) => ({ topic, key: 'spoilt', value: Buffer.from('spoilt'), headers: {} })))
    await producer.close()
  } finally {
    await stack.close()
  }
}

async function publish(user: string, ...numbers: readonly number[]): Promise<void> {
  const stack = await openAs(user)
  try {
    const publisher = await publisherOn(stack)
    for (const number of numbers) {
      await publisher.publish('trial.begun' as never, { number, lane: 'a' } as never, { key: 'one-key' })
    }
    await publisher.close()
  } finally {
    await stack.close()
  }
}

describe('the rights that are printed', () => {
  it('are enough end to end, and each of them is used', { timeout: 90_000 }, async () => {
    const { contracts } = await openAs(undefined).then(closed)
    const rights = AGENTS.flatMap((agent) => agentRights(agent, contracts))
    await grantAll('worker', rights)
    await grantAll('publisher', publisherRights(['trial.begun']))
    await serve('worker')
    await publish('publisher', 1, 7, 8)
    await waitFor(async () => (await endOf('trial.ended')) === 3, { what: 'the end of the flows', timeoutMs: 20_000 })
    await waitFor(async () => (await endOf('trial.noted')) === 3, { what: 'what had waited', timeoutMs: 40_000 })
    await spoil(splitter.topics)
    await waitFor(async () => (await endOf(`${splitter.name}.dead-letter`)) > 0, {
      what: 'the dead letter',
      timeoutMs: 20_000,
    })

    // What was forgotten is read back from everything that tells of it.
    await redis.admin.flushall()
    await publish('publisher', 9)
    await waitFor(async () => (await endOf('trial.ended')) === 4, { what: 'what came later', timeoutMs: 40_000 })

    const decisions = (await kafka.decisions()).filter(({ user }) => user === 'User:worker')
    expect(decisions.filter(({ isAllowed }) => !isAllowed)).toEqual([])
    // What only a failure needs, not every agent of the trial has needed: by kind.
    const kindOf = (text: string): string => {
      const agent = AGENTS.find(({ name }) => text.includes(`${namespace}.${name}`))
      return text.replace(agent?.name ?? '', '<agent>').replace(/retry\.\d\w*/, 'retry.<delay>')
    }
    const used = new Set(decisions.map(({ operation, resource }) => kindOf(`${operation} ${resource}`)))
    const wanted = onBroker(rights).map(({ operation, resource, name }) =>
      kindOf(`${operation.toUpperCase()} ${resource === 'topic' ? 'Topic' : 'Group'}:${name}`),
    )
    expect([...new Set(wanted)].filter((right) => !used.has(right))).toEqual([])
  })

  it('are all needed: an agent that lacks one does not start, and says which', async () => {
    const stack = await openAs('lesser')
    onTestFinished(() => stack.close())
    const rights = onBroker(agentRights(splitter, stack.contracts))
    await kafka.grant('lesser', rights)
    const start = (): Promise<unknown> =>
      createService(stack, [splitter], { onFatal: () => undefined }).then(
        () => 'started',
        (error: unknown) => error,
      )
    expect(await start()).toBe('started')
    for (const right of rights) {
      await kafka.revoke('lesser', right)
      const message = `Kafka does not allow User:lesser to ${right.operation} ${right.resource} ${right.name}`
      expect(await start()).toMatchObject({ code: 'LABAN_BROKER_DENIED', message })
      await kafka.grant('lesser', rights)
    }
    expect(await start()).toBe('started')
  })
})

describe('what is denied while agents run', () => {
  it('keeps a computed result and its lane until it may be published, and says so', async () => {
    const rights = onBroker(agentRights(noter, (await openAs('noter').then(closed)).contracts))
    await kafka.grant('noter', rights)
    await grantAll('publisher', publisherRights(['trial.begun']))
    const { service, fatal } = await serve('noter', [noter])
    const output = rights.find(({ name }) => name.endsWith('trial.noted'))
    if (output === undefined) throw new Error('the agent publishes nothing')
    const before = await endOf('trial.noted')
    await kafka.revoke('noter', output)
    await publish('publisher', 21)
    const blocked = () => service.health.problems.find((problem) => problem.includes('publish blocked'))
    expect(await waitFor(blocked, { what: 'the blocked publish', timeoutMs: TOLD_WITHIN_MS })).toContain('trial.noter')
    await kafka.grant('noter', rights)
    await waitFor(async () => (await endOf('trial.noted')) > before, { what: 'the output', timeoutMs: TOLD_WITHIN_MS })
    await waitFor(() => blocked() === undefined, { what: 'the end of the block', timeoutMs: TOLD_WITHIN_MS })

    const input = rights.find(({ name }) => name.endsWith('trial.begun'))
    if (input === undefined) throw new Error('the agent consumes nothing')
    await kafka.revoke('noter', input)
    expect(await fatal).toMatchObject({
      code: 'LABAN_BROKER_DENIED',
      message: `Kafka does not allow User:noter to Read topic ${input.name}`,
    })
  })
})

describe('the command line', () => {
  it.each([
    ['run', [join(AGENTS_DIR, 'noter.ts')], 77],
    ['publish', ['trial.begun', '--file', '-', '--batch', 'b', '--format', 'jsonl', '--on', 'kafka'], 77],
    ['doctor', [], 69],
  ])('%s names user, operation and resource', async (command, args, exit) => {
    const ended = await runLaban([command, ...args], {
      cwd: kafka.folder,
      input: '{"number":1}\n',
      env: {
        LABAN_BROKERS: kafka.brokers,
        LABAN_NAMESPACE: namespace,
        LABAN_CONTRACTS_DIR: CONTRACTS,
        LABAN_AGENTS: join(AGENTS_DIR, 'noter.ts'),
        LABAN_STATE_DIR: kafka.folder,
        LABAN_REDIS_URL: redis.url,
        LABAN_TRACING_ENABLED: 'false',
        LABAN_KAFKA_SSL: 'true',
        LABAN_KAFKA_SSL_CA_FILE: kafka.authority.ca,
        LABAN_KAFKA_SASL_MECHANISM: 'scram-sha-256',
        LABAN_KAFKA_SASL_USERNAME: 'nobody',
        LABAN_KAFKA_SASL_PASSWORD: PASSWORD,
      },
    })
    const said = ended.stdout + ended.stderr
    expect(said).toMatch(/Kafka does not allow User:nobody to (Read group|Write topic) rights-\w+\.trial\./)
    expect(said).toMatch(/Grant (Read|Write) on .* to User:nobody; `laban acl`/)
    expect(ended.code).toBe(exit)
  })
})

async function closed(stack: Stack): Promise<Stack> {
  await stack.close()
  return stack
}
