/** The error table against the code: every code is well formed and thrown somewhere, every placeholder is filled where it is thrown. */
import { describe, expect, it } from 'vitest'
import type { ErrorDefinition } from '../../contracts/error-definition.ts'
import { ERROR_TABLE, type ErrorCode } from '../../contracts/error-table.ts'
import { LabanError } from '../../contracts/errors.ts'
import { projectFiles, read } from './project-files.ts'

const codes = Object.keys(ERROR_TABLE) as ErrorCode[]
const rowOf = (code: ErrorCode): ErrorDefinition => ERROR_TABLE[code]

const sources = projectFiles()
  .filter((path) => /^(contracts|runtime|tracing|cli|console|services|bin)\/.*\.(ts|js)$/.test(path))
  .filter((path) => path !== 'contracts/error-table.ts')
  .map((path) => ({ path, text: read(path) }))

describe('error table', () => {
  it('has well-formed codes', () => {
    expect(codes.filter((code) => !/^LABAN(_[A-Z0-9]+){1,5}$/.test(code))).toEqual([])
  })

  it('says what happened as a clause, why and what to do as sentences', () => {
    expect(codes.filter((code) => /^\s*$|\.$/.test(rowOf(code).message))).toEqual([])
    expect(codes.filter((code) => !/\S.*\.$/s.test(rowOf(code).cause))).toEqual([])
    expect(codes.filter((code) => !/\S.*\.$/s.test(rowOf(code).remedy))).toEqual([])
  })

  it('has no code that nothing uses', () => {
    expect(codes.filter((code) => !sources.some(({ text }) => new RegExp(`\\b${code}\\b`).test(text)))).toEqual([])
  })

  it('uses in a remedy only what its message has', () => {
    const stray = codes.flatMap((code) => {
      const known = placeholdersOf(rowOf(code).message)
      return placeholdersOf(rowOf(code).remedy).flatMap((name) => (known.includes(name) ? [] : [`${code} {${name}}`]))
    })
    expect(stray).toEqual([])
  })

  it('gets all its details where an error is made', () => {
    const empty = codes.flatMap((code) =>
      literalDetails(code).flatMap(({ path, details }) =>
        placeholdersOf(rowOf(code).message)
          .filter((name) => !new RegExp(`\\b${name}\\b`).test(details))
          .map((name) => `${path}: ${code} without ${name}: ${details}`),
      ),
    )
    expect(empty).toEqual([])
  })

  it('gives errors that survive the way through JSON, whole', () => {
    for (const code of codes) {
      const details = Object.fromEntries(placeholdersOf(rowOf(code).message).map((name) => [name, `some ${name}`]))
      const error = new LabanError(code, details, { cause: new Error('first') })
      const copy = LabanError.fromJSON(JSON.parse(JSON.stringify(error)) as ReturnType<LabanError['toJSON']>)
      const { message, errorClass, exitCode, remedy } = error
      expect(copy).toMatchObject({ name: code, code, message, errorClass, exitCode, remedy, details, cause: 'first' })
      expect(`${message} ${remedy}`).not.toMatch(/\{\w+\}/)
    }
  })
})

function placeholdersOf(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
}

/** The object literals that are given as details of a code; a variable or a spread is left to the reader. */
function literalDetails(code: string): { path: string; details: string }[] {
  const pattern = new RegExp(`new LabanError\\(\\s*'${code}',\\s*(\\{[^{}]*\\})`, 'g')
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)]
      .map(([, details = '']) => ({ path, details }))
      .filter(({ details }) => !details.includes('...')),
  )
}
