import { describe, expect, it } from 'vitest'
import { LabanError } from '../../../../../contracts/errors.ts'
import { mayPass, toLabanError } from '../../../../../runtime/adapters/kafka/kafka-errors.ts'
import { createErrorFromCode } from '../../../../../runtime/adapters/kafka/kafkajs-internals.ts'

const attempted = { operation: 'produce', topic: 'orders', brokers: ['a:1', 'b:2'] }
const UNAVAILABLE = 'LABAN_BROKER_UNAVAILABLE'
const REFUSED = 'LABAN_BROKER_REFUSED'

describe('toLabanError', () => {
  it.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', 3, REFUSED],
    ['LEADER_NOT_AVAILABLE', 5, UNAVAILABLE],
    ['OFFSET_METADATA_TOO_LARGE', 12, REFUSED],
    ['NOT_ENOUGH_REPLICAS', 19, UNAVAILABLE],
    ['ILLEGAL_GENERATION', 22, REFUSED],
    ['UNKNOWN_MEMBER_ID', 25, REFUSED],
    ['TOPIC_AUTHORIZATION_FAILED', 29, REFUSED],
    ['GROUP_AUTHORIZATION_FAILED', 30, REFUSED],
    ['POLICY_VIOLATION', 44, REFUSED],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 45, UNAVAILABLE],
    ['UNKNOWN_PRODUCER_ID', 59, UNAVAILABLE],
    ['KAFKAJS_UNKNOWN_ERROR_CODE', 9_999, UNAVAILABLE],
  ])('makes of %s', (type, code, expected) => {
    const error = createErrorFromCode(code)
    expect(error.type).toBe(type)
    expect(toLabanError(error, attempted).code).toBe(expected)
  })

  it('names topic, operation and answer of a refusal', () => {
    expect(toLabanError(createErrorFromCode(29), attempted).message).toContain(
      'Kafka refused produce on orders: TOPIC_AUTHORIZATION_FAILED',
    )
  })

  it('takes what it does not know for something that may pass', () => {
    const error = toLabanError(new TypeError('x is undefined'), attempted)
    expect([error.code, error.details['brokers']]).toEqual([UNAVAILABLE, 'a:1,b:2'])
  })

  it('looks for the answer inside of what kafkajs wraps around it', () => {
    const wrapped = new Error('gave up', { cause: new Error('again', { cause: createErrorFromCode(29) }) })
    expect(toLabanError(wrapped, attempted).code).toBe(REFUSED)
    const several = Object.assign(new Error('many'), { errors: [createErrorFromCode(29)] })
    expect(toLabanError(several, attempted).code).toBe(REFUSED)
  })

  it('leaves errors of the table alone', () => {
    const own = new LabanError('LABAN_SHUTDOWN')
    expect(toLabanError(own, attempted)).toBe(own)
  })

  it('does not repeat a login that was refused', () => {
    const error = Object.assign(new Error('bad password'), { name: 'KafkaJSSASLAuthenticationError' })
    expect([mayPass(error), toLabanError(error, attempted).code]).toEqual([false, REFUSED])
  })
})
