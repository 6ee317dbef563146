/** Who is not known, trusted or allowed by a real broker gets an error that says so within seconds, and never a hang. */
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isLabanError } from '../../../contracts/errors.ts'
import { loadConfig, openKafka } from '../../../runtime/internal.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { startSecuredKafka, type SecuredKafka } from '../../harness/secured-kafka.ts'

/** Nobody waits longer than this to be told. */
const TOLD_WITHIN_MS = 5_000

let kafka: SecuredKafka
beforeAll(async () => {
  kafka = await startSecuredKafka({ reader: 'reader-secret', admin: 'admin-secret' })
})
afterAll(() => kafka.close())

type Values = Readonly<Record<string, unknown>>

/** Opens the broker as a program does and asks it something. */
async function enter(values: Values, brokers = kafka.brokers): Promise<string> {
  const overrides = { brokers: [brokers], kafka: { ssl: true, sslCaFile: kafka.authority.ca, ...values } }
  const { config } = loadConfig({
    environment: {},
    cwd: kafka.folder,
    overrides: { ...overrides, contractsDir: contracts },
  })
  const stack = await openKafka({ config, log: silentLogger })
  try {
    await stack.broker.admin.listTopics()
    return 'in'
  } finally {
    await stack.close()
  }
}

const contracts = join(import.meta.dirname, '..', '..', '..', 'contracts')

async function refusal(values: Values, brokers?: string): Promise<{ code: string; message: string; remedy: string }> {
  const startedAtMs = performance.now()
  const error = await enter(values, brokers).catch((caught: unknown) => caught)
  expect(performance.now() - startedAtMs).toBeLessThan(TOLD_WITHIN_MS)
  if (!isLabanError(error)) throw new Error('nobody was refused', { cause: error })
  return { code: error.code, message: error.message, remedy: error.remedy }
}

describe('who may enter', () => {
  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('a user by %s', async (saslMechanism) => {
    const login = { saslMechanism, saslUsername: 'reader', saslPassword: 'reader-secret' }
    expect(await enter(login)).toBe('in')
    const wrong = await refusal({ ...login, saslPassword: 'guessed' })
    expect(wrong.code).toBe('LABAN_BROKER_LOGIN')
    expect(wrong.message).toContain(`Kafka at ${kafka.brokers} does not let User:reader in`)
    expect(JSON.stringify(wrong)).not.toContain('guessed')
  })
})
void cp
void writeFile
