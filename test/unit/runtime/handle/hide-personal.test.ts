/** An error that quotes the event it could not handle says the same without what is personal in it. */
import { describe, expect, it } from 'vitest'
import { LabanError } from '../../../../contracts/errors.ts'
import { hidePersonal } from '../../../../runtime/handle/hide-personal.ts'

const TEXTS = ['ann@example.org']

describe('hiding what is personal in an error', () => {
  it('goes through message, details, stack and causes', () => {
    const cause = new RangeError('mailbox ann@example.org is full', { cause: 'ann@example.org: 552' })
    const error = new LabanError('LABAN_HANDLER_FAILED', { agent: 'a.mailer', problem: cause.message }, { cause })
    const hidden = hidePersonal(error, TEXTS)
    expect(hidden.code).toBe('LABAN_HANDLER_FAILED')
    expect(hidden.message).toContain('mailbox *** is full')
    expect(hidden.cause).toMatchObject({ name: 'RangeError', message: 'mailbox *** is full', cause: '***: 552' })
    expect((hidden.cause as Error).stack).toContain('hide-personal.test.ts')
    expect([hidden.stack, JSON.stringify(hidden), (hidden.cause as Error).stack].join()).not.toContain(
      'ann@example.org',
    )
  })

  it('leaves an error as it is that says nothing personal', () => {
    const error = new LabanError(
      'LABAN_HANDLER_FAILED',
      { agent: 'a.mailer', problem: 'no' },
      { cause: new Error('no') },
    )
    expect(hidePersonal(error, TEXTS)).toBe(error)
    expect(hidePersonal(error, [])).toBe(error)
  })
})
