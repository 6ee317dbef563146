import { describe, expect, it } from 'vitest'
import { LabanError } from '../../../../../contracts/errors.ts'
import { LOST, printableUrl, problemOf, unavailable } from '../../../../../runtime/adapters/redis/problems.ts'

describe('problemOf', () => {
  it.each([
    ['OOM command not allowed', /^it is full .*: OOM command/],
    ['LOADING Redis is loading the dataset in memory', /^it is still loading/],
    ['READONLY You can’t write against a read only replica.', /^it is a replica/],
    ['MISCONF Errors writing to the AOF file', /^it cannot write to its disk/],
    ['NOAUTH Authentication required.', /^it asks for a password/],
    ['CLUSTERDOWN Hash slot not served', /^the cluster does not serve/],
    ['Command timed out', /^no answer in time$/],
    ["Stream isn't writeable and enableOfflineQueue options is false", /^not connected$/],
    ['Connection is closed.', /^the connection was lost$/],
    ['Reached the max retries per request limit (which is 0).', /^the connection was lost$/],
    ['connect ECONNREFUSED 127.0.0.1:6379', /^connect ECONNREFUSED/],
  ])('says of %s what it means', (said, words) => {
    expect(problemOf(new TypeError(said)).text).toMatch(words)
  })
})

describe('unavailable', () => {
  it('adds what the connection last said, unless it is the same', () => {
    const closed = new TypeError('Connection is closed.')
    expect(unavailable('redis://x', closed, problemOf(new TypeError('connect ECONNREFUSED'))).message).toContain(
      'was lost (connect ECONNREFUSED)',
    )
    expect(unavailable('redis://x', closed, LOST).message).not.toContain('(')
  })

  it.each(['NOAUTH Authentication required.', 'WRONGPASS invalid username-password pair', 'NOPERM No permissions'])(
    'says of %s that a person must mend it',
    (said) => {
      expect(unavailable('redis://x', new TypeError(said)).code).toBe('LABAN_STORE_REFUSED')
      const closed = new TypeError('Connection is closed.')
      expect(unavailable('redis://x', closed, problemOf(new TypeError(said))).code).toBe('LABAN_STORE_REFUSED')
    },
  )

  it('leaves an error of our own as it is', () => {
    const lost = new LabanError('LABAN_STORE_LOST', { url: 'redis://x', problem: 'gone' })
    expect(unavailable('redis://x', lost)).toBe(lost)
  })
})

describe('printableUrl', () => {
  it.each([
    ['redis://user:p%40ss@host:6379/2?x=1', 'redis://host:6379/2'],
    ['rediss://:secret@a:1,rediss://:secret@b:2', 'rediss://a:1,rediss://b:2'],
    ['redis://host:6379', 'redis://host:6379'],
  ])('shows %s without secrets', (url, shown) => {
    expect(printableUrl(url)).toBe(shown)
  })
})
