/** Logins and certificates of the servers other than Kafka, in the words of whoever connects to them. All of them are read anew when they are needed. */
import type { ConfluentRegistryOptions } from '../../contracts/registry-confluent.ts'
import type { MetricsPush } from '../../tracing/metrics-push.ts'
import type { TracingOptions } from '../../tracing/setup.ts'
import type { PostgresOptions } from '../adapters/postgres/database.ts'
import type { RedisStoreOptions } from '../adapters/redis/store.ts'
import { latest } from '../config/latest.ts'
import type { Config } from '../config/schema.ts'
import type { Secret } from '../config/secret.ts'
import { tlsFiles } from './tls-files.ts'

/** For the registry. @throws LABAN_CONFIG_INVALID when a file cannot be read now */
export function registryAccess({ registry }: Config): Pick<ConfluentRegistryOptions, 'auth' | 'token' | 'ca'> {
  const { username, password, token, sslCaFile } = registry
  const files = tlsFiles('registry', { sslCaFile })
  return {
    ...(username === undefined ? {} : { auth: { username, password: revealed(password) ?? '' } }),
    ...(token === undefined ? {} : { token: revealed(token) ?? '' }),
    ...(sslCaFile === undefined ? {} : { ca: () => files.ca ?? '' }),
  }
}

/** For Redis. @throws LABAN_CONFIG_INVALID when a file cannot be read now */
export function redisAccess({ redis }: Config): Pick<RedisStoreOptions, 'cluster' | 'username' | 'password' | 'tls'> {
  const { cluster, username } = redis
  const password = revealed(redis.password)
  const tls = tlsFiles('redis', redis)
  return {
    cluster,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  }
}

/** For the database of the ledger. @throws LABAN_CONFIG_INVALID when a file cannot be read now */
export function ledgerAccess({ ledger }: Config): Pick<PostgresOptions, 'password' | 'ca'> {
  const password = revealed(ledger.password)
  const { ca } = tlsFiles('ledger', ledger)
  return {
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  }
}

/** For the trace store. @throws LABAN_CONFIG_INVALID when a file cannot be read now */
export function tracingAccess({ tracing }: Config): Pick<TracingOptions, 'headers' | 'ca'> {
  const headers = revealed(tracing.otlpHeaders)
  const { ca } = tlsFiles('tracing', { sslCaFile: tracing.otlpCaFile })
  return {
    ...(headers === undefined ? {} : { headers: () => parseHeaders(headers()) }),
    ...(ca === undefined ? {} : { ca }),
  }
}

/** For a collector of metrics. @throws LABAN_CONFIG_INVALID when a file cannot be read now */
export function metricsAccess({ metrics }: Config): Pick<MetricsPush, 'headers' | 'ca'> {
  const headers = revealed(metrics.otlpHeaders)
  const { ca } = tlsFiles('metrics', { sslCaFile: metrics.otlpCaFile })
  return {
    ...(headers === undefined ? {} : { headers: () => parseHeaders(headers()) }),
    ...(ca === undefined ? {} : { ca }),
  }
}

function revealed(secret: Secret | undefined): (() => string) | undefined {
  return secret === undefined ? undefined : latest(() => secret.reveal())
}

/** `name=value`, several with commas between; values as in OTEL_EXPORTER_OTLP_HEADERS, percent-encoded where needed. */
function parseHeaders(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((part): [string, string][] => {
    const equals = part.indexOf('=')
    return equals < 1 ? [] : [[part.slice(0, equals).trim(), decodeURIComponent(part.slice(equals + 1).trim())]]
  })
  return Object.fromEntries(pairs)
}
