/** Redis and the registry behind logins and TLS: whoever is not known or trusted is told so, and a changed password is read anew. */
import { createServer as createHttpsServer } from 'node:https'
import { request } from 'node:http'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createRedisStore } from '../../../runtime/adapters/redis/store.ts'
import { redisAccess } from '../../../runtime/compose/server-access.ts'
import { contractsOf, loadConfig, openRegistry, openTracing, systemClock } from '../../../runtime/internal.ts'
import type { Store } from '../../../runtime/ports/claim-store.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { startPrivateRedis, type PrivateRedis } from '../../conformance/store-server.ts'
import { createAuthority, type Authority } from '../../harness/certificates.ts'
import { freePort } from '../../harness/free-port.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { waitFor } from '../../harness/wait.ts'

const CONTRACTS = join(import.meta.dirname, '..', '..', 'e2e', 'agents', 'contracts')

let folder: string
let authority: Authority
let foreign: Authority
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'laban-servers-'))
  authority = await createAuthority(folder, 'ca')
  foreign = await createAuthority(folder, 'foreign')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function configured(overrides: object) {
  const given = { contractsDir: CONTRACTS, stateDir: folder, ...overrides }
  return loadConfig({ environment: {}, cwd: folder, overrides: given }).config
}

/** As in docs/guides/securing.md. */
const ALLOWED = ['+@all', '-@admin', '-@dangerous', '+info']

describe('Redis', () => {
  let redis: PrivateRedis
  let tlsUrl: string
  beforeAll(async () => {
    const { cert, key } = await authority.sign('redis')
    const port = await freePort()
    tlsUrl = `rediss://127.0.0.1:${port}`
    const tls = {
      'tls-port': String(port),
      'tls-cert-file': cert,
      'tls-key-file': key,
      'tls-ca-cert-file': authority.ca,
    }
    redis = await startPrivateRedis({ ...tls, 'tls-auth-clients': 'no' })
    await redis.admin.acl('SETUSER', 'laban', 'on', '>first', '~*', '&*', ...ALLOWED)
    await redis.admin.acl('SETUSER', 'default', 'resetpass', '>admin')
    await redis.admin.auth('admin')
  })
  afterAll(() => redis.close())

  function store(settings: object): Store {
    const config = configured({ redis: { url: tlsUrl, sslCaFile: authority.ca, ...settings } })
    const url = config.redis.url ?? ''
    const made = createRedisStore({
      url,
      namespace: '',
      ...redisAccess(config),
      clock: systemClock,
      logger: silentLogger,
    })
    onTestFinished(() => made.close())
    return made
  }

  it('takes a user with a password over TLS', async () => {
    const made = store({ username: 'laban', password: 'first' })
    await made.connect()
    expect((await made.health()).full).toBe(false)
    const claims = made.claimsOf('an.agent', { dedupMs: 60_000, joinTtlMs: 60_000 })
    const ref = { flowId: randomUUID(), handlingId: randomUUID() }
    const [answer] = await claims.claim([{ ...ref, owner: 'me', from: 'absent' }])
    expect(answer?.accepted).toBe(true)
  })

  it.each([
    ['a wrong password', { username: 'laban', password: 'guessed' }, /password/],
    ['no password', {}, /password/],
  ])('refuses %s', async (_what, login, problem) => {
    const error = await store(login)
      .connect()
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'LABAN_STORE_REFUSED', message: expect.stringMatching(problem) as unknown })
    expect(JSON.stringify(error)).not.toContain('guessed')
  })

  it('is not trusted when its authority is unknown', async () => {
    const made = store({ username: 'laban', password: 'first', sslCaFile: foreign.ca })
    await expect(made.connect()).rejects.toMatchObject({ code: 'LABAN_STORE_REFUSED' })
  })

  it('gets the password that is in the file now when the connection comes back', async () => {
    const file = join(folder, 'redis-password')
    await writeFile(file, 'first\n')
    const made = store({ username: 'laban', password: { file } })
    await made.connect()
    await redis.admin.acl('SETUSER', 'laban', 'resetpass', '>second')
    await redis.admin.client('KILL', 'USER', 'laban')
    await waitFor(
      () =>
        made.health().then(
          () => false,
          (error: { code?: string }) => error.code === 'LABAN_STORE_REFUSED',
        ),
      { what: 'the refusal of the old password', timeoutMs: 10_000 },
    )
    await writeFile(`${file}.new`, 'second\n')
    await rename(`${file}.new`, file)
    await waitFor(() => made.health(), { what: 'the store to come back', timeoutMs: 10_000 })
    await redis.admin.acl('SETUSER', 'laban', 'resetpass', '>first')
  })
})

describe('the registry', () => {
  const login = { accepts: ['Basic dXNlcjpmaXJzdA==', 'Bearer first'] }
  let url: string
  let close: () => Promise<void>
  beforeAll(async () => {
    const real = new URL(await stackAddress('registryUrl'))
    const { cert, key } = await authority.sign('registry')
    const tls = { cert: await readFile(cert), key: await readFile(key) }
    const server = createHttpsServer(tls, (incoming, response) => {
      if (!login.accepts.includes(incoming.headers.authorization ?? '')) {
        response.writeHead(401, { 'content-type': 'application/json' }).end('{"message":"who are you?"}')
        return
      }
      const { method, url: path, headers } = incoming
      const onwards = { host: real.hostname, port: real.port, path, method, headers: { ...headers, host: real.host } }
      incoming.pipe(
        request(onwards, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
        }),
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}${real.pathname}`
    close = async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  })
  afterAll(() => close())

  async function ask(settings: object): Promise<unknown> {
    const config = configured({ registry: { url, sslCaFile: authority.ca, ...settings } })
    const registry = await openRegistry(config, contractsOf(config))
    return registry.versions('no-such-subject-value')
  }

  it('takes a user with a password, or a token, over TLS', async () => {
    expect(await ask({ username: 'user', password: 'first' })).toEqual([])
    expect(await ask({ token: 'first' })).toEqual([])
  })

  it.each([
    ['a wrong password', { username: 'user', password: 'guessed' }, /401 who are you/],
    ['nobody', {}, /401/],
    ['a wrong token', { token: 'guessed' }, /401/],
  ])('refuses %s', async (_what, settings, problem) => {
    const error = await ask(settings).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'LABAN_REGISTRY_REFUSED', message: expect.stringMatching(problem) as unknown })
    expect(JSON.stringify(error)).not.toContain('guessed')
  })

  it('is not trusted when its authority is unknown', async () => {
    const asked = ask({ username: 'user', password: 'first', sslCaFile: foreign.ca })
    await expect(asked).rejects.toMatchObject({ code: 'LABAN_REGISTRY_REFUSED' })
  })

  it('is asked with the token that is in the file now', async () => {
    const file = join(folder, 'token')
    await writeFile(file, 'stale\n')
    const config = configured({ registry: { url, sslCaFile: authority.ca, token: { file } } })
    const registry = await openRegistry(config, contractsOf(config))
    await expect(registry.versions('no-such-subject-value')).rejects.toMatchObject({ code: 'LABAN_REGISTRY_REFUSED' })
    await writeFile(file, 'first\n')
    expect(await registry.versions('no-such-subject-value')).toEqual([])
  })
})

describe('the trace store', () => {
  it('gets the headers, over TLS', async () => {
    const { cert, key } = await authority.sign('otlp')
    const seen: (string | undefined)[] = []
    const tls = { cert: await readFile(cert), key: await readFile(key) }
    const server = createHttpsServer(tls, (incoming, response) => {
      seen.push(incoming.headers.authorization)
      incoming.resume().on('end', () => response.writeHead(200).end())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const otlpUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const config = configured({
      tracing: { otlpUrl, otlpCaFile: authority.ca, otlpHeaders: 'authorization=Bearer%20it' },
    })
    const { tracer, shutdown } = await openTracing(config, { serviceName: 'test', log: silentLogger })
    tracer.startFlow('trial.begun', randomUUID(), randomUUID(), 'test').end({ partition: 0, offset: 0 })
    await shutdown()
    expect(seen).toEqual(['Bearer it'])
  })
})
