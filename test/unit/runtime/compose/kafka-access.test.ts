/** How configured TLS and logins reach the Kafka adapter. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kafkaAccess } from '../../../../runtime/compose/kafka-access.ts'
import { loadConfig } from '../../../../runtime/config/load.ts'
import { temporaryFolder } from '../../../harness/temporary-folder.ts'

function access(flags: Record<string, string>, cwd = '/') {
  return kafkaAccess(loadConfig({ cwd, environment: {}, flags }).config)
}

describe('access to Kafka', () => {
  it('is plain without configuration', () => {
    expect(access({})).toEqual({ connectionTimeoutMs: 5_000, records: 'fast', user: 'User:ANONYMOUS' })
  })

  it('trusts the system for TLS unless a file says whom to trust', async () => {
    const folder = await temporaryFolder()
    writeFileSync(join(folder, 'ca.pem'), 'the authority')
    expect(access({ 'kafka.ssl': 'true' })).toMatchObject({ ssl: true })
    expect(access({ 'kafka.ssl': 'true', 'kafka.sslCaFile': join(folder, 'ca.pem') })).toMatchObject({
      ssl: { ca: 'the authority' },
    })
  })

  it('names the key whose file cannot be read', () => {
    expect(() => access({ 'kafka.ssl': 'true', 'kafka.sslCaFile': '/does/not/exist.pem' })).toThrow(/kafka\.sslCaFile/)
  })

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
    'logs in by %s with a password from a file',
    async (mechanism) => {
      const folder = await temporaryFolder()
      writeFileSync(join(folder, 'password'), 'secret\n')
      const config = {
        kafka: { saslMechanism: mechanism, saslUsername: 'me', saslPassword: { file: join(folder, 'password') } },
      }
      writeFileSync(join(folder, 'laban.config.json'), JSON.stringify(config))
      const { sasl, user } = access({}, folder)
      expect(sasl).toMatchObject({ mechanism, username: 'me', password: 'secret' })
      expect(user).toBe('User:me')
      writeFileSync(join(folder, 'password'), 'rotated\n')
      expect(sasl).toMatchObject({ password: 'rotated' })
    },
  )

  it('reads certificates again for every connection', async () => {
    const folder = await temporaryFolder()
    const file = join(folder, 'ca.pem')
    writeFileSync(file, 'the first')
    const { ssl } = access({ 'kafka.ssl': 'true', 'kafka.sslCaFile': file, 'kafka.sslServername': 'kafka.internal' })
    expect(Object.assign({}, ssl)).toEqual({ ca: 'the first', servername: 'kafka.internal' })
    writeFileSync(file, 'the second')
    expect(Object.assign({}, ssl)).toEqual({ ca: 'the second', servername: 'kafka.internal' })
  })

  it('asks for an OAUTHBEARER token where nobody gives one', async () => {
    const { config } = loadConfig({ cwd: '/', environment: {}, flags: { 'kafka.saslMechanism': 'oauthbearer' } })
    expect(() => kafkaAccess(config)).toThrow(/kafka\.saslToken/)
    const { sasl } = kafkaAccess(config, { oauthToken: () => Promise.resolve('fresh') })
    if (sasl?.mechanism !== 'oauthbearer') throw new Error('no login by token')
    expect(await sasl.oauthBearerProvider()).toEqual({ value: 'fresh' })
  })
})
