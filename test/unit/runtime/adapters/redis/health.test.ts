import { describe, expect, it } from 'vitest'
import { healthOf, parseInfo } from '../../../../../runtime/adapters/redis/health.ts'

function infoOf(changes: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  const fields = {
    redis_version: '7.4.1',
    maxmemory: '0',
    used_memory: '1000000',
    maxmemory_policy: 'noeviction',
    aof_enabled: '1',
    aof_last_write_status: 'ok',
    ...changes,
  }
  return parseInfo(
    `# Server\r\n${Object.entries(fields)
      .map(([name, value]) => `${name}:${value}\r\n`)
      .join('')}`,
  )
}

describe('healthOf', () => {
  it('trusts an append-only server that does not evict', () => {
    const health = healthOf({ info: infoOf(), save: '', appendfsync: 'everysec' })
    expect(health).toEqual({ version: '7.4.1', unsafe: [], full: false })
  })

  it.each([
    [{ maxmemory_policy: 'volatile-ttl' }, /maxmemory-policy is volatile-ttl/],
    [{ aof_enabled: '0' }, /appendonly is no/],
    [{ aof_last_write_status: 'err' }, /last write .* failed/],
    [{ redis_version: '6.2.14' }, /version 6\.2\.14 is too old/],
  ])('does not trust %o', (changes, reason) => {
    expect(healthOf({ info: infoOf(changes) }).unsafe).toEqual([expect.stringMatching(reason)])
  })

  it('tells snapshots from nothing at all', () => {
    const info = infoOf({ aof_enabled: '0' })
    expect(healthOf({ info, save: '' }).unsafe[0]).toContain('forgets everything')
    expect(healthOf({ info, save: '3600 1' }).unsafe[0]).toContain('last snapshot')
  })

  it('does not trust a log that is never flushed', () => {
    expect(healthOf({ info: infoOf(), appendfsync: 'no' }).unsafe).toEqual([expect.stringContaining('appendfsync')])
  })

  it.each([
    ['0', '5000000', false],
    ['5000000', '4000000', false],
    ['5000000', '5000001', true],
  ])('with maxmemory %s and %s used, full is %s', (maxmemory, used_memory, full) => {
    expect(healthOf({ info: infoOf({ maxmemory, used_memory }) }).full).toBe(full)
  })

  it('does not count replication buffers', () => {
    const info = infoOf({ maxmemory: '5000000', used_memory: '5500000', mem_not_counted_for_evict: '600000' })
    expect(healthOf({ info }).full).toBe(false)
  })

  it('names Valkey', () => {
    const info = infoOf({ redis_version: '7.2.4', valkey_version: '8.1.0' })
    expect(healthOf({ info })).toMatchObject({ version: 'Valkey 8.1.0', unsafe: [] })
  })
})
