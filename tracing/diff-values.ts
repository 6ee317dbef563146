/** Where two values part, field by field. What is hidden is compared too, and stays hidden in the answer. */

/** One field that differs. */
export interface FieldDifference {
  /** `reasons[0]`, `address.city`; '' for the value itself. */
  readonly path: string
  /** As it is shown; undefined where there is none. */
  readonly left: unknown
  readonly right: unknown
}

/** A value, and how it is shown: personal fields replaced by stars. */
export interface ShownValue {
  readonly value: unknown
  readonly shown: unknown
}

/** All fields that differ, in the order of the left value's fields. */
export function diffValues(left: ShownValue, right: ShownValue, path = ''): readonly FieldDifference[] {
  if (isHidden(left) || isHidden(right) || !isBranch(left.value) || !isBranch(right.value)) {
    return isEqual(left.value, right.value) ? [] : [{ path, left: left.shown, right: right.shown }]
  }
  const names = new Set([...Object.keys(left.value), ...Object.keys(right.value)])
  const isList = Array.isArray(left.value)
  return [...names].flatMap((name) => {
    const step = isList ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    return diffValues(fieldOf(left, name), fieldOf(right, name), step)
  })
}

type Branch = Readonly<Record<string, unknown>>

function fieldOf({ value, shown }: ShownValue, name: string): ShownValue {
  return { value: (value as Branch)[name], shown: isBranch(shown) ? shown[name] : shown }
}

function isHidden({ value, shown }: ShownValue): boolean {
  return typeof shown === 'string' && shown !== value
}

function isBranch(value: unknown): value is Branch {
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value)
}

function isEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (Buffer.isBuffer(left) && Buffer.isBuffer(right)) return left.equals(right)
  if (!isBranch(left) || !isBranch(right) || Array.isArray(left) !== Array.isArray(right)) return false
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => isEqual(left[name], right[name]))
}
