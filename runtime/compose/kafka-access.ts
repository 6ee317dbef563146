/**
 * The part of the configuration that says how to reach and enter the brokers, in the words of the Kafka adapter. Files and secrets
 * are read when a connection is made, every time, so that rotated ones take effect without a restart.
 */
import { X509Certificate } from 'node:crypto'
import { LabanError } from '../../contracts/errors.ts'
import type { KafkaBrokerOptions } from '../adapters/kafka/broker.ts'
import { latest } from '../config/latest.ts'
import type { Config } from '../config/schema.ts'
import { readPem, tlsFiles } from './tls-files.ts'

/** What a program can give that a file cannot hold. */
export interface KafkaLogin {
  /** A token for OAUTHBEARER; called for every connection. */
  readonly oauthToken?: () => Promise<string>
}

type Access = Pick<KafkaBrokerOptions, 'ssl' | 'sasl' | 'user' | 'connectionTimeoutMs' | 'records'>

/** TLS, login, who that is for people, time-outs and record codec. @throws LABAN_CONFIG_INVALID when a file or secret cannot be read now */
export function kafkaAccess(config: Config, login: KafkaLogin = {}): Access {
  const { ssl, sslCaFile, sslCertFile, sslKeyFile, sslKeyPassphrase, sslServername } = config.kafka
  const files = tlsFiles('kafka', { sslCaFile, sslCertFile, sslKeyFile, sslKeyPassphrase })
  const tls = Object.defineProperties(
    sslServername === undefined ? {} : { servername: sslServername },
    Object.getOwnPropertyDescriptors(files),
  )
  const sasl = saslOf(config, login)
  return {
    connectionTimeoutMs: config.kafka.connectionTimeoutMs,
    records: config.kafka.records,
    user: userOf(config),
    ...(ssl ? { ssl: Object.keys(tls).length === 0 ? true : tls } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

function saslOf({ kafka }: Config, { oauthToken }: KafkaLogin): KafkaBrokerOptions['sasl'] {
  const { saslMechanism: mechanism, saslUsername: username = '', saslPassword, saslToken } = kafka
  if (mechanism === 'none') return undefined
  if (mechanism === 'oauthbearer') {
    const token = oauthToken ?? (saslToken === undefined ? undefined : () => Promise.resolve(saslToken.reveal()))
    if (token === undefined) throw invalid('kafka.saslToken', 'is needed for kafka.saslMechanism oauthbearer')
    return { mechanism, oauthBearerProvider: async () => ({ value: await token() }) }
  }
  const password = latest(() => saslPassword?.reveal() ?? '')
  return {
    mechanism,
    username,
    get password() {
      return password()
    },
  }
}

/** The principal, as ACLs name it. */
function userOf({ kafka }: Config): string {
  if (kafka.saslMechanism === 'oauthbearer') return 'the user of the token'
  if (kafka.saslMechanism !== 'none') return `User:${kafka.saslUsername ?? ''}`
  if (kafka.sslCertFile === undefined) return 'User:ANONYMOUS'
  const certificate = new X509Certificate(readPem('kafka.sslCertFile', kafka.sslCertFile))
  return `User:${certificate.subject.split('\n').toReversed().join(',')}`
}

function invalid(path: string, problem: string): LabanError {
  return new LabanError('LABAN_CONFIG_INVALID', { path, origin: 'the configuration', problem })
}
