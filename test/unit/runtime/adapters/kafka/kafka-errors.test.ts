import { describe, expect, it } from 'vitest'
import { LabanError } from '../../../../../contracts/errors.ts'
import { mayPass, toLabanError } from '../../../../../runtime/adapters/kafka/kafka-errors.ts'
import { createErrorFromCode } from '../../../../../runtime/adapters/kafka/kafkajs-internals.ts'

const attempted = { operation: 'produce', topic: 'orders', brokers: ['a:1', 'b:2'] }
const UNAVAILABLE = 'LABAN_BROKER_UNAVAILABLE'
const REFUSED = 'LABAN_BROKER_REFUSED'
const DENIED = 'LABAN_BROKER_DENIED'

describe('toLabanError', () => {
  it.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', 3, REFUSED],
    ['LEADER_NOT_AVAILABLE', 5, UNAVAILABLE],
    ['OFFSET_METADATA_TOO_LARGE', 12, REFUSED],
    ['NOT_ENOUGH_REPLICAS', 19, UNAVAILABLE],
    ['ILLEGAL_GENERATION', 22, REFUSED],
    ['UNKNOWN_MEMBER_ID', 25, REFUSED],
    ['TOPIC_AUTHORIZATION_FAILED', 29, DENIED],
    ['GROUP_AUTHORIZATION_FAILED', 30, DENIED],
    ['INVALID_TIMESTAMP', 32, 'LABAN_BROKER_CLOCK'],
    ['ILLEGAL_SASL_STATE', 34, UNAVAILABLE],
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
    expect(toLabanError(createErrorFromCode(44), attempted).message).toContain(
      'Kafka refused produce on orders: POLICY_VIOLATION',
    )
  })

  it.each([
    ['produce', 29, 'Kafka does not allow User:me to Write topic shop.orders'],
    ['read', 29, 'Kafka does not allow User:me to Read topic shop.orders'],
    ['commit', 30, 'Kafka does not allow User:me to Read group shop.baker'],
    ['open a producer', 31, 'Kafka does not allow User:me to Write any topic'],
    ['create', 31, 'Kafka does not allow User:me to Create the cluster'],
  ])('names user, operation and resource as ACLs do for %s', (operation, code, message) => {
    const whoAndWhat = { ...attempted, operation, user: 'User:me', namespace: 'shop', group: 'shop.baker' }
    expect(toLabanError(createErrorFromCode(code), whoAndWhat).message).toBe(message)
  })

  it('takes what it does not know for something that may pass', () => {
    const error = toLabanError(new TypeError('x is undefined'), attempted)
    expect([error.code, error.details['brokers']]).toEqual([UNAVAILABLE, 'a:1,b:2'])
  })

  it('looks for the answer inside of what kafkajs wraps around it', () => {
    const wrapped = new Error('gave up', { cause: new Error('again', { cause: createErrorFromCode(29) }) })
    expect(toLabanError(wrapped, attempted).code).toBe(DENIED)
    const several = Object.assign(new Error('many'), { errors: [createErrorFromCode(29)] })
    expect(toLabanError(several, attempted).code).toBe(DENIED)
  })

  it('leaves errors of the table alone', () => {
    const own = new LabanError('LABAN_SHUTDOWN')
    expect(toLabanError(own, attempted)).toBe(own)
  })

  it('does not repeat a login that was refused', () => {
    const error = Object.assign(new Error('bad password'), { name: 'KafkaJSSASLAuthenticationError' })
    expect([mayPass(error), toLabanError(error, attempted).code]).toEqual([false, 'LABAN_BROKER_LOGIN'])
  })

  it.each([
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'CERT_HAS_EXPIRED',
  ])('does not repeat a connection without trust: %s', (code) => {
    const error = Object.assign(new Error('Connection error'), { code })
    expect([mayPass(error), toLabanError(error, attempted).code]).toEqual([false, 'LABAN_BROKER_UNTRUSTED'])
  })

  it('takes a cut socket for something that passes', () => {
    const error = Object.assign(new Error('Connection error'), { code: 'ECONNRESET' })
    expect([mayPass(error), toLabanError(error, attempted).code]).toEqual([true, UNAVAILABLE])
  })
})
