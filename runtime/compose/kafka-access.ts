/** The part of the configuration that says how to reach and enter the brokers, in the words of the Kafka adapter. */
import { readFileSync } from 'node:fs'
import { LabanError } from '../../contracts/errors.ts'
import type { KafkaBrokerOptions } from '../adapters/kafka/broker.ts'
import type { Config } from '../config/schema.ts'

/** TLS, login and time-outs. Files and secrets are read now, so that a new connection sees rotated ones. @throws LABAN_CONFIG_INVALID */
export function kafkaAccess(config: Config): Pick<KafkaBrokerOptions, 'ssl' | 'sasl' | 'connectionTimeoutMs'> {
  const { ssl, sslCaFile, sslCertFile, sslKeyFile, connectionTimeoutMs } = config.kafka
  const files = { ca: sslCaFile, cert: sslCertFile, key: sslKeyFile }
  const given = Object.entries(files).flatMap(([name, file]) =>
    file === undefined ? [] : [[name, readPem(name, file)]],
  )
  const sasl = saslOf(config)
  return {
    connectionTimeoutMs,
    ...(ssl ? { ssl: given.length === 0 ? true : (Object.fromEntries(given) as Record<string, string>) } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

function saslOf({ kafka }: Config): KafkaBrokerOptions['sasl'] {
  const { saslMechanism, saslUsername: username = '', saslPassword } = kafka
  const password = saslPassword?.reveal() ?? ''
  switch (saslMechanism) {
    case 'none':
      return undefined
    case 'plain':
      return { mechanism: 'plain', username, password }
    case 'scram-sha-256':
      return { mechanism: 'scram-sha-256', username, password }
    case 'scram-sha-512':
      return { mechanism: 'scram-sha-512', username, password }
  }
}

const KEYS: Readonly<Record<string, string>> = {
  ca: 'kafka.sslCaFile',
  cert: 'kafka.sslCertFile',
  key: 'kafka.sslKeyFile',
}

function readPem(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new LabanError(
      'LABAN_CONFIG_INVALID',
      { path: KEYS[name] ?? name, origin: 'the configuration', problem: `${file} cannot be read` },
      { cause },
    )
  }
}
