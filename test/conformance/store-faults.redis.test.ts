/** What the store says and does when Redis is full, frozen, killed, restarted, wiped, or holds what a newer laban wrote. */
import { afterEach, describe, expect, it } from 'vitest'
import { agentKeys } from '../../runtime/adapters/redis/keys.ts'
import { createRedisStore, type RedisStoreOptions } from '../../runtime/adapters/redis/store.ts'
import type { ClaimStore, Store } from '../../runtime/ports/claim-store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { waitFor } from '../harness/wait.ts'
import { ME, newRef, one, POSITION } from './store-bench.ts'
import { startPrivateRedis, type PrivateRedis } from './store-server.ts'

const AGENT = 'test.agent'
const OPTIONS = { dedupMs: 600_000, joinTtlMs: 600_000 }
const RECONNECTED = { what: 'the store to come back', timeoutMs: 15_000 }

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close()
})

async function startServer(settings?: Readonly<Record<string, string>>): Promise<PrivateRedis> {
  const server = await startPrivateRedis(settings)
  opened.push(server)
  return server
}

async function openStore(url: string, options: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const store = createRedisStore({ url, namespace: 'test', clock: systemClock, logger: silentLogger, ...options })
  opened.push(store)
  await store.connect()
  return store
}

function unavailable(problem: RegExp) {
  const message = expect.stringMatching(problem) as string
  return { code: 'LABAN_STORE_UNAVAILABLE', errorClass: 'retry', message }
}

const claimOf = (ref = newRef()) => ({ ...ref, owner: ME, from: 'absent' as const })

async function comesBack(claims: ClaimStore): Promise<void> {
  await waitFor(async () => (await claims.read([newRef()])).length === 1, RECONNECTED)
}

describe('redis that cannot be used', () => {
  it('refuses to connect, in words and without the password', async () => {
    const store = createRedisStore({
      url: 'redis://someone:secret@127.0.0.1:1',
      namespace: 'test',
      clock: systemClock,
      logger: silentLogger,
      connectTimeoutMs: 300,
    })
    opened.push(store)
    await expect(store.connect()).rejects.toMatchObject(unavailable(/redis:\/\/127\.0\.0\.1:1 cannot .*ECONNREFUSED/))
    await expect(store.connect()).rejects.toMatchObject(unavailable(/ECONNREFUSED/))
    await expect(store.leases.isAlive(ME)).rejects.toMatchObject(unavailable(/not connected \(.*ECONNREFUSED/))
  })

  it('fails at once while it is down, and comes back with what it had', async () => {
    const server = await startServer()
    const claims = (await openStore(server.url)).claimsOf(AGENT, OPTIONS)
    const claim = claimOf()
    await claims.claim([claim])
    await server.kill()
    await waitFor(
      async () =>
        claims.read([claim]).then(
          () => false,
          () => true,
        ),
      { what: 'the connection to break' },
    )

    const startedAtMs = performance.now()
    await expect(claims.read([claim])).rejects.toMatchObject(unavailable(/not connected/))
    expect(performance.now() - startedAtMs).toBeLessThan(500)

    // A restarted server knows no script: they are given to it again.
    await server.start()
    await comesBack(claims)
    expect(await one(claims.read([claim]))).toEqual({ state: 'claimed', owner: ME, attempt: 1 })
    expect((await one(claims.claim([claim]))).accepted).toBe(true)
  })

  it('that does not answer is given up in time, and is used again when it does', async () => {
    const server = await startServer()
    const claims = (await openStore(server.url, { commandTimeoutMs: 200 })).claimsOf(AGENT, OPTIONS)
    await claims.read([newRef()])
    server.freeze()
    await expect(claims.read([newRef()])).rejects.toMatchObject(unavailable(/no answer in time/))
    server.thaw()
    await comesBack(claims)
  })

  it('asks for a password', async () => {
    const server = await startServer()
    await server.admin.config('SET', 'requirepass', 'right')
    const store = createRedisStore({
      url: server.url,
      namespace: 'test',
      clock: systemClock,
      logger: silentLogger,
      password: () => 'wrong',
    })
    opened.push(store)
    await expect(store.connect()).rejects.toMatchObject({
      code: 'LABAN_STORE_REFUSED',
      details: { problem: expect.stringMatching(/password/) as unknown },
    })
  })

  it('that is a replica takes no writes', async () => {
    const server = await startServer()
    const claims = (await openStore(server.url)).claimsOf(AGENT, OPTIONS)
    await claims.read([newRef()])
    await server.admin.replicaof('127.0.0.1', 1)
    await expect(claims.claim([claimOf()])).rejects.toMatchObject(
      unavailable(/READONLY|not connected|was lost|replica/),
    )
    await server.admin.replicaof('NO', 'ONE')
    await comesBack(claims)
    expect((await one(claims.claim([claimOf()]))).accepted).toBe(true)
  })
})

describe('redis that is full', () => {
  it('takes no new work, but lets work end, which makes room', async () => {
    const server = await startServer()
    const store = await openStore(server.url)
    const claims = store.claimsOf(AGENT, OPTIONS)
    const refs = Array.from({ length: 20 }, newRef)
    const outputs = Buffer.alloc(300_000)
    await claims.compute(
      refs.map((ref) => ({ ...ref, owner: ME, attempt: 1, from: 'absent', position: POSITION, outputs })),
    )
    const used = /used_memory:(\d+)/.exec(await server.admin.info('memory'))?.[1]
    await server.admin.config('SET', 'maxmemory', String(Number(used) - 1_000_000))
    expect((await store.health()).full).toBe(true)
    await expect(claims.claim([claimOf()])).rejects.toMatchObject(unavailable(/it is full .*OOM/))

    expect((await claims.finish(refs)).every(({ accepted }) => accepted)).toBe(true)
    expect((await store.health()).full).toBe(false)
    expect((await one(claims.claim([claimOf()]))).accepted).toBe(true)
  })
})

describe('redis that lost its memory', () => {
  const LOST = { code: 'LABAN_STORE_LOST', errorClass: 'retry' }
  const lostPauseMs = 300

  it.each(['read', 'claim'] as const)('is detected by %s, pauses this agent, and goes on empty', async (call) => {
    const server = await startServer()
    const store = await openStore(server.url, { lostPauseMs })
    const claims = store.claimsOf(AGENT, OPTIONS)
    const claim = claimOf()
    await claims.claim([claim])
    await store.leases.renew(ME, 60_000)
    await server.admin.flushall()
    const ask = () => (call === 'read' ? claims.read([claim]) : claims.claim([claim]))
    await expect(ask()).rejects.toMatchObject(LOST)
    await expect(claims.read([claim])).rejects.toMatchObject(LOST)
    expect(await store.leases.renew(ME, 60_000)).toBe(false)
    const state = await waitFor(() => one(claims.read([claim])), RECONNECTED)
    expect(state).toEqual({ state: 'absent' })
  })

  it('is detected although another process has begun to use it again', async () => {
    const server = await startServer()
    const [mine, theirs] = [await openStore(server.url), await openStore(server.url)]
    const claims = mine.claimsOf(AGENT, OPTIONS)
    await claims.claim([claimOf()])
    await server.admin.flushall()
    await theirs.claimsOf(AGENT, OPTIONS).claim([claimOf()])
    await expect(claims.claim([claimOf()])).rejects.toMatchObject(LOST)
  })

  it('is detected when it went back to an older state', async () => {
    const server = await startServer()
    const claims = (await openStore(server.url)).claimsOf(AGENT, OPTIONS)
    for (let i = 0; i < 5; i++) await claims.claim([claimOf()])
    const [epochKey = ''] = await server.admin.keys('*epoch')
    const [epoch = ''] = await server.admin.hkeys(epochKey)
    await server.admin.hincrby(epochKey, epoch, -3)
    await expect(claims.read([newRef()])).rejects.toMatchObject(LOST)
  })

  it('is not suspected by a restart that kept everything, nor by the first start', async () => {
    const server = await startServer()
    const claims = (await openStore(server.url)).claimsOf(AGENT, OPTIONS)
    await claims.claim([claimOf()])
    await server.kill()
    await server.start()
    await comesBack(claims)
    expect((await one(claims.claim([claimOf()]))).accepted).toBe(true)
  })
})

describe('what a newer laban stored', () => {
  const TOO_NEW = { code: 'LABAN_FORMAT_TOO_NEW', details: { found: 2, known: 1 } }

  it('is refused by every call, and stays as it is', async () => {
    const server = await startServer()
    const claims = (await openStore(server.url)).claimsOf(AGENT, OPTIONS)
    const ref = newRef()
    const from = { owner: ME, attempt: 1 }
    const key = agentKeys('test', AGENT).handling(ref.flowId, ref.handlingId)
    await server.admin.set(key, '21 whatever it means')
    const computed = { ...ref, ...from, position: POSITION, outputs: Buffer.from('x') }
    const calls = [
      () => claims.read([ref]),
      () => claims.claim([claimOf(ref)]),
      () => claims.claim([{ ...ref, owner: ME, from }]),
      () => claims.claim([{ ...ref, owner: ME, from: { deadGeneration: 1 } }]),
      () => claims.compute([{ ...computed, from: 'absent' }]),
      () => claims.compute([{ ...computed, from }]),
      () => claims.finish([ref]),
      () => claims.hand([{ ...ref, from, kind: 'retry', attempt: 1 }]),
      () => claims.bury([{ ...ref, from: 'absent', note: Buffer.from('why') }]),
      () => claims.settle([{ ...ref, generation: 1 }]),
      () => claims.release([{ ...ref, ...from }]),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject(TOO_NEW)
    expect(await server.admin.get(key)).toBe('21 whatever it means')
  })

  it('is refused in a join too', async () => {
    const server = await startServer()
    const claims = (await openStore(server.url)).claimsOf(AGENT, OPTIONS)
    const { flowId } = newRef()
    await server.admin.hset(agentKeys('test', AGENT).join(flowId), 'x.one', '2m newer')
    const record = Buffer.from('record')
    const join = (topic: string) => {
      const member = { eventId: newRef().handlingId, topic, partition: 0, offset: 0, record }
      return claims.join([{ flowId, topics: ['x.one', 'x.two'], member }])
    }
    await expect(join('x.one')).rejects.toMatchObject(TOO_NEW)
    await expect(join('x.two')).rejects.toMatchObject(TOO_NEW)
  })
})

describe('health', () => {
  it('names what could lose claims', async () => {
    const server = await startServer({ appendonly: 'no', 'maxmemory-policy': 'allkeys-lru' })
    const { unsafe, full, version } = await (await openStore(server.url)).health()
    expect(version).toMatch(/^\d+\./)
    expect(full).toBe(false)
    expect(unsafe).toEqual([expect.stringContaining('allkeys-lru'), expect.stringContaining('appendonly')])
  })

  it('finds nothing wrong with append-only and noeviction', async () => {
    const server = await startServer()
    expect((await (await openStore(server.url)).health()).unsafe).toEqual([])
  })
})
