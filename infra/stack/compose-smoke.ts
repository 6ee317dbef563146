/** Sends applications through the five credit agents that the compose file runs, and requires exactly one outcome for each. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel, type Admin } from 'kafkajs'
import { resolveSettings } from './settings.ts'
import { run, say } from './shell.ts'
import { explain, StackError } from './stack-error.ts'

const projectDir = join(import.meta.dirname, '..', '..')
const applicationCount = 20
const limitMs = 120_000
/** Long enough for a duplicate to show itself after the last expected outcome. */
const quietMs = 5000
const outcomeTopics = ['credit.decision-made', 'credit.review-requested']

/** One application; `index` makes good and bad ones. */
function application(index: number): Readonly<Record<string, unknown>> {
  return {
    applicationId: `smoke-${index}`,
    purpose: 'debt_consolidation',
    interestRate: 0.1189,
    monthlyInstallment: 829.1,
    logAnnualIncome: 11.35,
    debtToIncome: 19.48,
    fico: 620 + index * 10,
    creditLineDays: 5639.96,
    revolvingBalance: 28854,
    revolvingUtilization: 52.1,
    inquiriesLast6Months: 0,
    delinquencies2Years: 0,
    publicRecords: 0,
    meetsCreditPolicy: true,
  }
}

/** Publishes, waits, counts. */
async function smoke(admin: Admin, laban: (...args: string[]) => Promise<string>): Promise<void> {
  const before = await countRecords(admin)
  const dir = await mkdtemp(join(tmpdir(), 'laban-smoke-'))
  try {
    const file = join(dir, 'applications.ndjson')
    const lines = Array.from({ length: applicationCount }, (_, index) => JSON.stringify(application(index)))
    await writeFile(file, `${lines.join('\n')}\n`)
    say(await laban('publish', 'credit.application-received', '--file', file))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
  const deadlineMs = Date.now() + limitMs
  while ((await countRecords(admin)) - before < applicationCount && Date.now() < deadlineMs) await delay(500)
  await delay(quietMs)
  const outcomes = (await countRecords(admin)) - before
  say(await laban('flows'))
  if (outcomes !== applicationCount) {
    const remedy = 'Run `docker compose --profile credit logs` and `npx laban why <flow id>`.'
    throw new StackError(`${applicationCount} applications gave ${outcomes} outcomes`, remedy)
  }
  say(`${applicationCount} applications, ${outcomes} outcomes`)
}

async function countRecords(admin: Admin): Promise<number> {
  const offsets = await Promise.all(outcomeTopics.map((topic) => admin.fetchTopicOffsets(topic)))
  return offsets.flat().reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
}

async function main(): Promise<number> {
  const { host, ports } = resolveSettings(projectDir, process.env)
  const brokers = `${host}:${ports.kafka}`
  const env = {
    ...process.env,
    LABAN_BROKERS: brokers,
    LABAN_REGISTRY_URL: `http://${host}:${ports.registry}/apis/ccompat/v7`,
    LABAN_REDIS_URL: `redis://${host}:${ports.redis}`,
  }
  const laban = (...args: string[]): Promise<string> =>
    run(process.execPath, [join(projectDir, 'bin', 'laban.js'), ...args], { cwd: projectDir, env })
  const admin = new Kafka({ clientId: 'laban-smoke', brokers: [brokers], logLevel: logLevel.NOTHING }).admin()
  try {
    await admin.connect()
    await smoke(admin, laban)
    return 0
  } catch (error) {
    say(explain(error))
    return 1
  } finally {
    await admin.disconnect()
  }
}

process.exitCode = await main()
