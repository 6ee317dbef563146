/** The error table against the code: every code is well formed and thrown somewhere, every placeholder is filled where it is thrown. */
import { describe, expect, it } from 'vitest'
import { ERROR_TABLE, type ErrorDefinition } from '../../contracts/error-table.ts'
import { LabanError } from '../../contracts/errors.ts'
import { projectFiles, read } from './project-files.ts'

const rows: readonly (readonly [string, ErrorDefinition])[] = Object.entries(ERROR_TABLE)

const sources = projectFiles()
  .filter((path) => /^(contracts|runtime|tracing|cli|services|bin)\/.*\.(ts|js)$/.test(path))
  .filter((path) => path !== 'contracts/error-table.ts')
  .map((path) => ({ path, text: read(path) }))

describe('error table', () => {
  it.each(rows)('%s is well formed', (code, { message, cause, remedy }) => {
    expect(code).toMatch(/^LABAN(_[A-Z0-9]+){1,5}$/)
    for (const text of [message, cause, remedy]) expect(text.trim()).not.toBe('')
    expect(message, 'a message is one clause, without a full stop').not.toMatch(/\.$/)
    expect(cause).toMatch(/\.$/)
    expect(remedy).toMatch(/\.$/)
  })

  it.each(rows)('%s is used by the code', (code) => {
    expect(sources.filter(({ text }) => new RegExp(`\\b${code}\\b`).test(text)).map(({ path }) => path)).not.toEqual([])
  })

  it.each(rows)('%s gets all its details where it is made', (code, { message, remedy }) => {
    const wanted = placeholdersOf(message)
    const known = new Set(wanted)
    expect(
      placeholdersOf(remedy).filter((name) => !known.has(name)),
      'the remedy may only use placeholders of the message',
    ).toEqual([])
    for (const { path, details } of literalDetails(code)) {
      expect(
        wanted.filter((name) => !new RegExp(`\\b${name}\\b`).test(details)),
        `${path}: new LabanError('${code}', ${details}) leaves placeholders empty`,
      ).toEqual([])
    }
  })

  it.each(rows)('%s survives the way through JSON', (code, { message }) => {
    const details = Object.fromEntries(placeholdersOf(message).map((name, index) => [name, `value ${index}`]))
    const error = new LabanError(code as keyof typeof ERROR_TABLE, details)
    const copy = LabanError.fromJSON(JSON.parse(JSON.stringify(error)) as ReturnType<LabanError['toJSON']>)
    expect(copy).toMatchObject({
      name: code,
      code,
      message: error.message,
      errorClass: error.errorClass,
      exitCode: error.exitCode,
      details,
    })
    expect(error.message).not.toMatch(/\{\w+\}/)
    expect(error.remedy).not.toMatch(/\{\w+\}/)
  })
})

function placeholdersOf(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
}

/** The object literals that are given as details of a code; a variable or a spread is left to the type checker and the reader. */
function literalDetails(code: string): { path: string; details: string }[] {
  const pattern = new RegExp(`new LabanError\\(\\s*'${code}',\\s*(\\{[^{}]*\\})`, 'g')
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)]
      .map(([, details = '']) => ({ path, details }))
      .filter(({ details }) => !details.includes('...')),
  )
}
