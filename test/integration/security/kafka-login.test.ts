/** Who is not known or trusted by a real broker is told so within seconds, by every way in; secrets are read anew and shown to nobody. */
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isLabanError, type LabanError } from '../../../contracts/errors.ts'
import { loadConfig, openKafka, type Stack } from '../../../runtime/internal.ts'
import { startService } from '../../../runtime/index.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { runLaban } from '../../harness/run-laban.ts'
import { startSecuredKafka, type SecuredKafka } from '../../harness/secured-kafka.ts'
import noter from '../../e2e/agents/noter.ts'

/** Nobody waits longer than this to be told. */
const TOLD_WITHIN_MS = 6_000
const CONTRACTS = join(import.meta.dirname, '..', '..', 'e2e', 'agents', 'contracts')
const NOTER = join(import.meta.dirname, '..', '..', 'e2e', 'agents', 'noter.ts')
const WRONG = 'a-guessed-password'

let kafka: SecuredKafka
beforeAll(async () => {
  kafka = await startSecuredKafka({ reader: 'reader-secret', admin: 'admin-secret' })
})
afterAll(() => kafka.close())

type Values = Readonly<Record<string, unknown>>

const byPassword = { saslMechanism: 'scram-sha-512', saslUsername: 'reader', saslPassword: 'reader-secret' } as const

function settings(values: Values, brokers = kafka.brokers) {
  const access = { ssl: true, sslCaFile: kafka.authority.ca, ...values }
  return { brokers: [brokers], contractsDir: CONTRACTS, stateDir: kafka.folder, kafka: access }
}

/** Opens the broker as the command line does. */
async function open(values: Values, brokers = kafka.brokers, oauthToken?: () => Promise<string>): Promise<Stack> {
  const { config } = loadConfig({ environment: {}, cwd: kafka.folder, overrides: settings(values, brokers) })
  const login = oauthToken === undefined ? undefined : { oauthToken }
  return openKafka({ config, log: silentLogger, kafka: login })
}

async function enter(...how: Parameters<typeof open>): Promise<string> {
  const stack = await open(...how)
  try {
    await stack.broker.admin.listTopics()
    return 'in'
  } finally {
    await stack.close()
  }
}

async function told(entering: Promise<unknown>): Promise<LabanError> {
  const startedAtMs = performance.now()
  const error = await entering.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(performance.now() - startedAtMs).toBeLessThan(TOLD_WITHIN_MS)
  if (!isLabanError(error)) throw new Error('nobody was refused', { cause: error })
  return error
}

/** An unsigned token, as the broker of this test takes it. */
function tokenFor(user: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const nowS = Math.floor(Date.now() / 1000)
  return `${part({ alg: 'none' })}.${part({ sub: user, iat: nowS, exp: nowS + 600 })}.`
}

describe('a login to Kafka', () => {
  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('by %s', async (saslMechanism) => {
    expect(await enter({ ...byPassword, saslMechanism })).toBe('in')
    const error = await told(enter({ ...byPassword, saslMechanism, saslPassword: WRONG }))
    expect(error.code).toBe('LABAN_BROKER_LOGIN')
    expect(error.message).toContain(`Kafka at ${kafka.brokers} does not let User:reader in: `)
    expect(error.remedy).toContain('User:reader')
  })

  it('by a token, from a function or from a file', async () => {
    const byToken = { saslMechanism: 'oauthbearer' }
    expect(await enter(byToken, kafka.brokers, () => Promise.resolve(tokenFor('reader')))).toBe('in')
    const file = join(kafka.folder, 'token')
    await writeFile(file, `${tokenFor('reader')}\n`)
    expect(await enter({ ...byToken, saslToken: { file } })).toBe('in')
    const error = await told(enter(byToken, kafka.brokers, () => Promise.resolve('not.a.token')))
    expect(error.code).toBe('LABAN_BROKER_LOGIN')
  })

  it('by a certificate, also with an encrypted key', async () => {
    const { cert, key } = await kafka.authority.sign('mutual-client')
    const byCertificate = { sslCertFile: cert, sslKeyFile: key }
    expect(await enter(byCertificate, kafka.mutualBrokers)).toBe('in')
    const encrypted = await kafka.authority.encryptKey(key, 'pass-phrase')
    const withPhrase = { sslCertFile: cert, sslKeyFile: encrypted, sslKeyPassphrase: 'pass-phrase' }
    expect(await enter(withPhrase, kafka.mutualBrokers)).toBe('in')
  })

  it('without a certificate, or with one that a stranger signed, is refused where one is asked for', async () => {
    const { cert, key } = await kafka.foreign.sign('stranger')
    const codes = await Promise.all(
      [{}, { sslCertFile: cert, sslKeyFile: key }].map((files) => told(enter(files, kafka.mutualBrokers))),
    )
    expect(codes.map(({ code }) => code)).toEqual(['LABAN_BROKER_UNTRUSTED', 'LABAN_BROKER_UNTRUSTED'])
  })

  it('to a broker whose authority is unknown does not happen', async () => {
    const error = await told(enter({ ...byPassword, sslCaFile: kafka.foreign.ca }))
    expect(error.code).toBe('LABAN_BROKER_UNTRUSTED')
    expect(error.message).toContain(kafka.brokers)
    expect(error.remedy).toContain('kafka.sslCaFile')
  })

  it('to a broker of another name does not happen, unless that name is expected', async () => {
    const error = await told(enter({ ...byPassword, sslServername: 'elsewhere.example' }))
    expect(error.code).toBe('LABAN_BROKER_UNTRUSTED')
    expect(await enter({ ...byPassword, sslServername: 'localhost' })).toBe('in')
  })

  it('ends a service that starts, with the same error', async () => {
    const config = { ...settings({ ...byPassword, saslPassword: WRONG }), redis: { url: 'redis://127.0.0.1:1' } }
    const error = await told(startService({ agents: [noter], config, log: silentLogger }))
    expect(error.code).toBe('LABAN_BROKER_LOGIN')
  })
})

describe('the command line', () => {
  const commands = [
    ['run', NOTER],
    ['publish', 'trial.begun', '--file', '-', '--batch', 'b', '--format', 'jsonl', '--on', 'kafka'],
    ['doctor'],
  ]

  it.each(commands)('%s says what is wrong with login and trust, and nothing secret', async (...args) => {
    const env = environment()
    const ended = await Promise.all([
      runLaban(args, { cwd: kafka.folder, input: '{"number":1}\n', env: { ...env, LABAN_KAFKA_SASL_PASSWORD: WRONG } }),
      runLaban(args, {
        cwd: kafka.folder,
        input: '{"number":1}\n',
        env: { ...env, LABAN_KAFKA_SSL_CA_FILE: kafka.foreign.ca },
      }),
    ])
    const said = ended.map(({ stdout, stderr }) => stdout + stderr)
    expect(said[0]).toContain('does not let User:reader in')
    expect(said[0]).toContain('kafka.saslMechanism')
    expect(said[1]).toContain('No trusted connection to Kafka')
    expect(said[1]).toContain('kafka.sslCaFile')
    expect(said.join('')).not.toContain(WRONG)
    expect(ended.map(({ code }) => code)).toEqual(args[0] === 'doctor' ? [69, 69] : [77, 77])
  })

  it('prints no secret of the configuration', async () => {
    const secrets = {
      LABAN_KAFKA_SASL_PASSWORD: 'secret-1',
      LABAN_KAFKA_SASL_TOKEN: 'secret-2',
      LABAN_KAFKA_SSL_KEY_PASSPHRASE: 'secret-3',
      LABAN_REGISTRY_URL: 'https://user:secret-4@registry.example',
      LABAN_REGISTRY_TOKEN: 'secret-5',
      LABAN_REDIS_URL: 'rediss://user:secret-6@redis.example:6380',
      LABAN_REDIS_PASSWORD: 'secret-7',
      LABAN_TRACING_OTLP_HEADERS: 'authorization=secret-8',
    }
    const ended = await Promise.all(
      [
        ['config', 'print'],
        ['config', 'print', '--json'],
      ].map((args) => runLaban(args, { cwd: kafka.folder, env: { ...environment(), ...secrets } })),
    )
    expect(ended.map(({ code }) => code)).toEqual([0, 0])
    expect(ended.map(({ stdout, stderr }) => stdout + stderr).join('')).not.toMatch(/secret-\d/)
  })
})

describe('a password that is changed while a program runs', () => {
  it('is read from its file at the next connection', async () => {
    const file = join(kafka.folder, 'password')
    await writeFile(file, 'reader-secret\n')
    const stack = await open({ ...byPassword, saslPassword: { file } })
    try {
      await stack.broker.admin.listTopics()
      const change = `SCRAM-SHA-512=[password=the-second]`
      const user = ['--entity-type', 'users', '--entity-name', 'reader', '--alter', '--add-config', change]
      await kafka.tool('kafka.admin.ConfigCommand', ['--bootstrap-server', kafka.openBrokers, ...user])

      expect((await told(stack.broker.producer())).code).toBe('LABAN_BROKER_LOGIN')
      await writeFile(`${file}.new`, 'the-second\n')
      await rename(`${file}.new`, file)
      const producer = await stack.broker.producer()
      await producer.close()
    } finally {
      await stack.close()
    }
  })
})

function environment(): Record<string, string> {
  return {
    LABAN_BROKERS: kafka.brokers,
    LABAN_CONTRACTS_DIR: CONTRACTS,
    LABAN_AGENTS: NOTER,
    LABAN_STATE_DIR: kafka.folder,
    LABAN_TRACING_ENABLED: 'false',
    LABAN_KAFKA_SSL: 'true',
    LABAN_KAFKA_SSL_CA_FILE: kafka.authority.ca,
    LABAN_KAFKA_SASL_MECHANISM: 'scram-sha-512',
    LABAN_KAFKA_SASL_USERNAME: 'reader',
    LABAN_KAFKA_SASL_PASSWORD: 'reader-secret',
  }
}
