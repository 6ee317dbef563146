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
    const failure = classify('test.agent', thrown)
    expect(failure).toMatchObject({ kind: 'retry', error: { code: 'LABAN_HANDLER_FAILED' } })
    expect(failure.error.cause).toBe(thrown)
    expect(failure.error.message).toContain('test.agent')
  })

  it('that the handler calls terminal is terminal', () => {
    expect(classify('test.agent', terminal('never'))).toMatchObject({ kind: 'terminal' })
  })

  it.each(Object.keys(ERROR_TABLE) as ErrorCode[])('%s is treated by its class', (code) => {
    const { class: errorClass } = ERROR_TABLE[code]
    const failure = classify('test.agent', new LabanError(code))
    expect(failure.kind).toBe(errorClass === 'terminal' ? 'terminal' : 'retry')
    const isOfRuntime = errorClass === 'control' || errorClass === 'bug'
    expect(failure.error.code).toBe(isOfRuntime ? 'LABAN_HANDLER_FAILED' : code)
  })
})
