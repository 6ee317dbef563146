/** What thrown values mean: only our own errors that speak of the input are terminal; nothing is guessed from names. */
import { describe, expect, it } from 'vitest'
import { ERROR_TABLE, type ErrorCode } from '../../../../contracts/error-table.ts'
import { LabanError } from '../../../../contracts/errors.ts'
import { classify } from '../../../../runtime/handle/classify.ts'
import { terminal } from '../../../../runtime/outcomes.ts'

function circular(): object {
  const value: { self?: object } = {}
  value.self = value
  return value
}

describe('a thrown value', () => {
  it.each([
    ['an error', new SyntaxError('bad JSON')],
    ['a text', 'no'],
    ['nothing', undefined],
    ['null', null],
    ['a circular object', circular()],
  ])('%s may pass next time, and keeps its cause', (_what, thrown) => {
    const failure = classify('test.agent', thrown, 0)
    expect(failure).toMatchObject({ kind: 'retry', error: { code: 'LABAN_HANDLER_FAILED' } })
    expect(failure.error.cause).toBe(thrown)
    expect(failure.error.message).toContain('test.agent')
  })

  it('that the handler calls terminal is terminal', () => {
    expect(classify('test.agent', terminal('never'), 0)).toMatchObject({ kind: 'terminal' })
  })

  it.each(Object.keys(ERROR_TABLE) as ErrorCode[])('%s is treated by its class', (code) => {
    const { class: errorClass } = ERROR_TABLE[code]
    const failure = classify('test.agent', new LabanError(code), 0)
    expect(failure.kind).toBe(errorClass === 'terminal' ? 'terminal' : 'retry')
    const isOfRuntime = errorClass === 'control' || errorClass === 'bug'
    expect(failure.error.code).toBe(isOfRuntime ? 'LABAN_HANDLER_FAILED' : code)
  })
})

describe('an answer of an HTTP server', () => {
  const headers = { 'Retry-After': '7' }
  it.each([
    ['status and headers on the error', Object.assign(new Error('busy'), { status: 429, headers })],
    [
      'a response of fetch',
      Object.assign(new Error('busy'), { response: new Response(null, { status: 503, headers }) }),
    ],
    ['the cause of the cause', new Error('a', { cause: new Error('b', { cause: { statusCode: 429, headers } }) })],
    ['one of several', new AggregateError([new Error('x'), { status: 429 }, { status: 500, headers }])],
    [
      'a date',
      Object.assign(new Error('busy'), {
        status: 429,
        headers: new Headers({ 'retry-after': 'Thu, 01 Jan 1970 00:00:07 GMT' }),
      }),
    ],
  ])('%s says when to try again', (_what, thrown) => {
    expect(classify('test.agent', thrown, 0)).toMatchObject({ kind: 'retry', retryAfterMs: 7_000 })
  })

  it.each([
    ['no header', { status: 429 }],
    ['a header that is neither number nor date', { status: 429, headers: { 'retry-after': 'soon' } }],
    ['a good status', { status: 200, headers }],
    [
      'a failed connection',
      new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }),
    ],
    ['an abort', new DOMException('aborted', 'AbortError')],
  ])('%s asks for no wait', (_what, thrown) => {
    const failure = classify('test.agent', thrown, 0)
    expect(failure.kind).toBe('retry')
    expect(failure.retryAfterMs).toBeUndefined()
  })

  it('that asks for longer than a day is asked again after a day', () => {
    expect(classify('test.agent', { status: 503, headers: { 'retry-after': '1e3' } }, 0).retryAfterMs).toBeUndefined()
    expect(classify('test.agent', { status: 503, headers: { 'retry-after': '99999999' } }, 0).retryAfterMs).toBe(
      86_400_000,
    )
  })

  it('a terminal error is terminal as the cause of another', () => {
    expect(classify('test.agent', new Error('wrapped', { cause: terminal('never') }), 0)).toMatchObject({
      kind: 'terminal',
    })
  })
})
