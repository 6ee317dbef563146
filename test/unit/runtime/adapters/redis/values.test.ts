/** Stored bytes are compared with literals: they must be readable by every later version. */
import { describe, expect, it } from 'vitest'
import { agentKeys, leaseKey } from '../../../../../runtime/adapters/redis/keys.ts'
import { decodeMember, encodeMember } from '../../../../../runtime/adapters/redis/members.ts'
import { claimTail, computedValue, decodeState } from '../../../../../runtime/adapters/redis/values.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const POSITION = { topic: 'a.b', partition: 5, offset: 2 ** 32 + 1 }
const FLOW = '0041aaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'
const ID = '00112233-4455-4677-8899-aabbccddeeff'

describe('values', () => {
  it('of claims: version, state, generation, attempt, owner', () => {
    expect(claimTail('me', 3)).toEqual(hex('00000003 02 6d65'))
    expect(decodeState(hex('31 31 00000007 00000003 02 6d65'))).toEqual({ state: 'claimed', owner: 'me', attempt: 3 })
  })

  it('of computed: attempt, owner, position, outputs', () => {
    const { value, ownBytes } = computedValue({ owner: 'me', attempt: 1, position: POSITION, outputs: hex('ff00') })
    const head = '31 32 00000000 00000001 02 6d65 03 612e62 00000005 0000000100000001'
    expect(value).toEqual(hex(`${head} ff00`))
    expect(ownBytes).toBe(hex(head).length)
    expect(decodeState(value)).toEqual({
      state: 'computed',
      owner: 'me',
      attempt: 1,
      position: POSITION,
      outputs: hex('ff00'),
    })
  })

  it('of ends', () => {
    expect(decodeState(null)).toEqual({ state: 'absent' })
    expect(decodeState(Buffer.from('10'))).toEqual({ state: 'done' })
    expect(decodeState(hex('31 33 00000000 70 00000002'))).toEqual({ state: 'handed', kind: 'parked', attempt: 2 })
    expect(decodeState(hex('31 34 00000009 00000002 00'))).toEqual({ state: 'dead', generation: 9 })
    expect(decodeState(hex('31 34 00000009 00000002 02 6d65 7b7d'))).toEqual({
      ...{ state: 'dead', generation: 9 },
      unsettled: { owner: 'me', note: Buffer.from('{}') },
    })
  })

  it('of a newer version are refused, and foreign ones are a bug', () => {
    expect(() => decodeState(Buffer.from('2?'))).toThrow(
      expect.objectContaining({
        code: 'LABAN_FORMAT_TOO_NEW',
        details: expect.objectContaining({ found: 2 }) as object,
      }),
    )
    for (const foreign of ['', '0', '1', '1?', '13????x????']) {
      expect(() => decodeState(Buffer.from(foreign))).toThrow(expect.objectContaining({ code: 'LABAN_INVARIANT' }))
    }
  })

  it('of owners longer than a byte can say are refused', () => {
    expect(claimTail('o'.repeat(255), 1)).toHaveLength(260)
    expect(() => claimTail('o'.repeat(256), 1)).toThrow(expect.objectContaining({ code: 'LABAN_INVARIANT' }))
  })

  it('of join members', () => {
    const member = { eventId: ID, topic: 'a.b', partition: 5, offset: 2 ** 32 + 1, record: hex('00ff') }
    const value = hex('31 6d 00112233445546778899aabbccddeeff 00000005 0000000100000001 00ff')
    expect(encodeMember(member)).toEqual(value)
    expect(decodeMember('a.b', value)).toEqual(member)
  })
})

describe('keys', () => {
  const keys = agentKeys('team', 'credit.score')

  it('of one flow share a hash tag', () => {
    expect(keys.handling(FLOW, ID)).toEqual(
      Buffer.concat([Buffer.from('{team:credit.score:1}:'), hex('00112233445546778899aabbccddeeff')]),
    )
    expect(keys.join(FLOW).toString('latin1')).toMatch(/^\{team:credit\.score:1\}:j:.{16}$/s)
    expect(keys.epoch(1)).toBe('{team:credit.score:1}:epoch')
    expect(keys.epoch()).toBe('{team:credit.score}:epoch')
  })

  it('of leases name the instance', () => {
    expect(leaseKey('team', 'host.1')).toBe('team:lease:host.1')
    expect(leaseKey('', 'host.1')).toBe('lease:host.1')
  })
})
