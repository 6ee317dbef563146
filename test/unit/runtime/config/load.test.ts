/** Configuration comes from one strict schema, in a fixed order, and every value knows its origin. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isLabanError, type LabanError } from '../../../../contracts/errors.ts'
import { describeConfig } from '../../../../runtime/config/describe.ts'
import { CONFIG_KEYS } from '../../../../runtime/config/keys.ts'
import { loadConfig, type LoadOptions } from '../../../../runtime/config/load.ts'
import { emptyFolder } from '../../../harness/run-laban.ts'

function folderWith(content?: unknown): string {
  const dir = emptyFolder()
  if (content !== undefined) {
    writeFileSync(join(dir, 'laban.config.json'), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return dir
}

function load(options: LoadOptions & { file?: unknown } = {}): ReturnType<typeof loadConfig> {
  return loadConfig({ cwd: folderWith(options.file), environment: {}, ...options })
}

function failure(options: Parameters<typeof load>[0]): LabanError {
  try {
    load(options)
  } catch (error) {
    if (isLabanError(error)) return error
    throw error
  }
  return expect.fail('the configuration was accepted')
}

describe('order of sources', () => {
  it('has a default for everything that needs one', () => {
    const { config } = load()
    expect(config.leaseMs).toBe(10_000)
    expect(config.http).toEqual({ host: '127.0.0.1', port: 0 })
    expect(config.brokers).toEqual([])
    expect(config.redis.url).toBeUndefined()
  })

  it('takes default < fallback < file < environment < flag, and says which', () => {
    const fallback = { origin: 'the local stack', values: { brokers: ['a:1'], clientId: 'stack', leaseMs: 11_000 } }
    const file = { clientId: 'file', leaseMs: 12_000, namespace: 'file' }
    const environment = { LABAN_LEASE_MS: '13000', LABAN_NAMESPACE: 'environment' }
    const { config, origins } = load({ fallback, file, environment, flags: { namespace: 'flag' } })
    expect(config).toMatchObject({ brokers: ['a:1'], clientId: 'file', leaseMs: 13_000, namespace: 'flag' })
    expect(origins.get('brokers')).toBe('the local stack')
    expect(origins.get('clientId')).toMatch(/laban\.config\.json$/)
    expect(origins.get('leaseMs')).toBe('LABAN_LEASE_MS')
    expect(origins.get('namespace')).toBe('--set namespace')
    expect(origins.get('dedup')).toBe('default')
  })

  it('reads lists, booleans and nested keys from the environment', () => {
    const environment = { LABAN_BROKERS: 'a:1, b:2', LABAN_KAFKA_SSL: 'true', LABAN_HTTP_PORT: '9464' }
    const { config } = load({ environment })
    expect(config.brokers).toEqual(['a:1', 'b:2'])
    expect(config.kafka.ssl).toBe(true)
    expect(config.http.port).toBe(9464)
  })

  it('starts relative paths at the folder of the file', () => {
    const dir = folderWith({ stateDir: 'state' })
    const { config, baseDir } = loadConfig({ cwd: '/', environment: { LABAN_CONFIG: join(dir, 'laban.config.json') } })
    expect(config.stateDir).toBe(join(dir, 'state'))
    expect(config.contractsDir).toBe(join(dir, 'contracts'))
    expect(baseDir).toBe(dir)
  })

  it('gives every key its own variable', () => {
    expect(new Set(CONFIG_KEYS.map((key) => key.variable)).size).toBe(CONFIG_KEYS.length)
    expect(CONFIG_KEYS.every((key) => key.description !== '')).toBe(true)
  })
})

describe('unknown keys', () => {
  it.each([
    [{ file: { redis: { ulr: 'redis://x' } } }, 'redis.ulr', 'redis.url'],
    [{ file: { brokrs: [] } }, 'brokrs', 'brokers'],
    [{ environment: { LABAN_BROKER: 'a:1' } }, 'LABAN_BROKER', 'LABAN_BROKERS'],
    [{ flags: { 'http.prot': '1' } }, 'http.prot', 'http.port'],
  ] as const)('names the nearest key: %j', (options, path, meant) => {
    const error = failure(options)
    expect(error.code).toBe('LABAN_CONFIG_UNKNOWN_KEY')
    expect(error.exitCode).toBe(78)
    expect(error.message).toContain(path)
    expect(error.message).toContain(`did you mean "${meant}"?`)
  })

  it('leaves alone what belongs to the stack launcher and to Kubernetes service links', () => {
    const environment = {
      LABAN_STACK_KAFKA_PORT: '1',
      LABAN_CACHE_DIR: '/x',
      LABAN_CONSOLE_SERVICE_HOST: '10.0.0.1',
      LABAN_CONSOLE_PORT_80_TCP: 'tcp://10.0.0.1:80',
    }
    expect(load({ environment }).config.namespace).toBe('')
  })

  it('accepts $schema, which editors need', () => {
    expect(load({ file: { $schema: './x.json', namespace: 'a' } }).config.namespace).toBe('a')
  })
})

describe('bad values', () => {
  it.each([
    [{ environment: { LABAN_KAFKA_SSL: 'False' } }, 'kafka.ssl', 'LABAN_KAFKA_SSL', 'must be true or false'],
    [{ environment: { LABAN_LEASE_MS: '' } }, 'leaseMs', 'LABAN_LEASE_MS', 'must be a number'],
    [{ environment: { LABAN_BROKERS: 'a:1,b' } }, 'brokers.1', 'LABAN_BROKERS', 'host:port'],
    [{ file: { leaseMs: '10000' } }, 'leaseMs', 'laban.config.json', 'expected number'],
    [{ file: { redis: 'redis://x' } }, 'redis', 'laban.config.json', 'must be an object'],
    [{ file: '{ "leaseMs": ' }, '(file)', 'laban.config.json', 'is not JSON'],
    [{ flags: { 'redis.url': 'http://x' } }, 'redis.url', '--set redis.url', 'redis://'],
    [{ file: { namespace: '${LABAN_NOT_SET}' } }, 'namespace', 'laban.config.json', 'which is not set'],
    [{ configFile: 'missing.json' }, '(file)', 'missing.json', 'cannot be read'],
  ] as const)('%j', (options, path, origin, problem) => {
    const error = failure(options)
    expect(error.code).toBe('LABAN_CONFIG_INVALID')
    expect(error.details['path']).toBe(path)
    expect(error.details['origin']).toContain(origin)
    expect(error.details['problem']).toContain(problem)
  })

  it('names all problems at once', () => {
    const error = failure({ environment: { LABAN_LEASE_MS: '0', LABAN_TRACING_SAMPLE_RATIO: '2' } })
    expect(error.message).toContain('leaseMs')
    expect(error.message).toContain('tracing.sampleRatio from LABAN_TRACING_SAMPLE_RATIO')
  })

  it.each([
    [{ 'kafka.heartbeatIntervalMs': '4000' }, 'kafka.heartbeatIntervalMs'],
    [{ leaseMs: '9000' }, 'leaseMs'],
    [{ 'kafka.saslMechanism': 'plain' }, 'kafka.saslUsername'],
    [{ 'kafka.ssl': 'true', 'kafka.sslCertFile': 'c.pem' }, 'kafka.sslCertFile'],
    [{ 'kafka.sslCaFile': 'ca.pem' }, 'kafka.ssl'],
    [{ 'registry.username': 'u' }, 'registry.password'],
  ] as const)('checks keys against each other: %j', (flags, path) => {
    expect(failure({ flags }).details['path']).toBe(path)
  })
})

describe('secrets', () => {
  it('are redacted when described, in URLs too', () => {
    const loaded = load({
      environment: { LABAN_REDIS_PASSWORD: 'hunter2', LABAN_REDIS_URL: 'redis://user:hunter2@host:1' },
    })
    expect(loaded.config.redis.password?.reveal()).toBe('hunter2')
    expect(JSON.stringify(describeConfig(loaded))).not.toContain('hunter2')
    expect(JSON.stringify(loaded.config.redis.password)).toBe('"[secret]"')
  })

  it('come from files, relative to where they were named, and are read again', () => {
    const dir = folderWith({ registry: { username: 'u', password: { file: 'token' } } })
    writeFileSync(join(dir, 'token'), 'one\n')
    const { config } = loadConfig({ cwd: dir, environment: {} })
    expect(config.registry.password?.reveal()).toBe('one')
    writeFileSync(join(dir, 'token'), 'two')
    expect(config.registry.password?.reveal()).toBe('two')
  })

  it('have a _FILE variable', () => {
    const dir = folderWith()
    writeFileSync(join(dir, 'password'), 'three')
    const { config } = loadConfig({ cwd: dir, environment: { LABAN_REDIS_PASSWORD_FILE: 'password' } })
    expect(config.redis.password?.reveal()).toBe('three')
  })
})
