/** Says in words which part of a value does not fit its schema; avsc's own errors have no path. */
import type { Type } from 'avsc'
import { describeUnknown } from './errors.ts'

/** The first part of a value that does not fit; `cause` is what the encoder said, in case nothing can be found. */
export function findMisfit(type: Type, value: unknown, cause: unknown): { path: string; problem: string } {
  let first: { path: string; problem: string } | undefined
  type.isValid(value, {
    errorHook: (path, found, expected) => {
      const problem = `expected ${describeType(expected)}, found ${describeValue(found)}`
      first ??= { path: path.length === 0 ? 'value' : path.join('.'), problem }
    },
  })
  return first ?? { path: 'value', problem: describeUnknown(cause) }
}

/** A type as a person says it: `int`, `string or null`, `one of approved, declined`. */
function describeType(type: Type): string {
  if ('symbols' in type) return `one of ${(type.symbols as readonly string[]).join(', ')}`
  if ('types' in type) {
    const branches = (type.types as readonly Type[]).map(describeType)
    return branches.filter((branch) => branch !== 'null').join(' or ') + (branches.includes('null') ? ' or null' : '')
  }
  return type.name ?? type.typeName
}

const MAX_SHOWN_CHARACTERS = 80

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'bigint') return `the bigint ${value}`
  const text = typeof value === 'number' ? String(value) : describeUnknown(JSON.stringify(value) ?? typeof value)
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}…`
}
