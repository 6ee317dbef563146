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
    expect(access({})).toEqual({ connectionTimeoutMs: 5_000 })
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
      expect(access({}, folder)).toMatchObject({ sasl: { mechanism, username: 'me', password: 'secret' } })
    },
  )
})
