/**
 * Semantic rules: CEL over `event`, compiled once. Numbers simply work: JavaScript has one kind, so ints and doubles mix in
 * comparison and arithmetic, which strict CEL forbids.
 */
import { Environment, type ASTNode } from '@marcbachmann/cel-js'
import type { AvroSchema } from './contract.ts'
import { describeUnknown, LabanError } from './errors.ts'
import { didYouMean } from './nearest-name.ts'

/** A compiled expression: whether it holds for a value. @throws LABAN_RULE_NOT_EVALUABLE, for example on a null field */
export type CompiledRule = (event: unknown) => boolean

/**
 * Compiles a CEL expression over `event`. With a schema, every `event.a.b` must name a field of it, so that a misspelled
 * field fails at start-up and not as a rule that never holds.
 * @throws LABAN_RULE_INVALID when it does not parse, is not boolean, or names an unknown variable or field
 * @example compileRule('event.confidence >= 0.7')({ confidence: 0.9 }) // true
 */
export function compileRule(expression: string, options: { schema?: AvroSchema } = {}): CompiledRule {
  const parsed = parse(expression)
  if (options.schema !== undefined) {
    const problem = findUnknownField(parsed.ast, options.schema)
    if (problem !== undefined) throw new LabanError('LABAN_RULE_INVALID', { expression, problem })
  }
  return (event) => {
    let result: unknown
    try {
      result = parsed({ event })
    } catch (error) {
      throw new LabanError('LABAN_RULE_NOT_EVALUABLE', { expression, problem: firstLine(error) }, { cause: error })
    }
    if (typeof result === 'boolean') return result
    throw new LabanError('LABAN_RULE_NOT_EVALUABLE', {
      expression,
      problem: `it gives ${typeof result}, not a boolean`,
    })
  }
}

const ARITHMETIC: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
}

/** CEL with `event` of any type and arithmetic over mixed numbers. */
const environment = new Environment({ homogeneousAggregateLiterals: false }).registerVariable('event', 'dyn')
for (const [operator, compute] of Object.entries(ARITHMETIC)) {
  const handler = (left: unknown, right: unknown): number => compute(Number(left), Number(right))
  environment.registerOperator(`double ${operator} int: double`, handler)
  environment.registerOperator(`int ${operator} double: double`, handler)
}
environment.registerOperator('double % double: double', (left: number, right: number) => left % right)

function parse(expression: string): ReturnType<Environment['parse']> {
  try {
    const parsed = environment.parse(expression)
    const { valid, type, error } = parsed.check()
    if (!valid) throw new LabanError('LABAN_RULE_INVALID', { expression, problem: firstLine(error) })
    if (type !== 'bool' && type !== 'dyn') {
      throw new LabanError('LABAN_RULE_INVALID', { expression, problem: `it gives ${type}, not bool` })
    }
    return parsed
  } catch (error) {
    if (error instanceof LabanError) throw error
    throw new LabanError('LABAN_RULE_INVALID', { expression, problem: firstLine(error) }, { cause: error })
  }
}

/** The first `event.…` path that the schema does not have, in words. */
function findUnknownField(node: unknown, schema: AvroSchema): string | undefined {
  if (Array.isArray(node)) return firstDefined(node, (child) => findUnknownField(child, schema))
  if (!isNode(node)) return undefined
  const path = eventPath(node)
  if (path !== undefined) return path.length === 0 ? undefined : unknownStep(schema, path)
  return findUnknownField(node.args, schema)
}

/** Field names after `event`, or undefined when the node is something else. */
function eventPath(node: ASTNode): readonly string[] | undefined {
  if (node.op === 'id') return node.args === 'event' ? [] : undefined
  if (node.op !== '.') return undefined
  const [left, name] = node.args
  const path = eventPath(left)
  return path === undefined ? undefined : [...path, name]
}

function unknownStep(schema: AvroSchema, path: readonly string[]): string | undefined {
  let current: unknown = schema
  for (const name of path) {
    const fields = fieldsOf(current)
    if (fields === undefined) return undefined
    const field = fields.find((candidate) => candidate.name === name)
    if (field === undefined) {
      const names = fields.map((candidate) => candidate.name)
      return `event.${path.join('.')} names no field of the contract${didYouMean(name, names)}`
    }
    current = field.type
  }
  return undefined
}

interface SchemaField {
  readonly name: string
  readonly type: unknown
}

/** Fields of a record, also of one that may be null; undefined where names are free (maps) or not ours to judge. */
function fieldsOf(schema: unknown): readonly SchemaField[] | undefined {
  if (Array.isArray(schema)) {
    const branches = schema.filter((branch) => branch !== 'null')
    return branches.length === 1 ? fieldsOf(branches[0]) : undefined
  }
  if (typeof schema !== 'object' || schema === null || !('fields' in schema)) return undefined
  return schema.fields as readonly SchemaField[]
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}

function firstDefined<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

function firstLine(error: unknown): string {
  return describeUnknown(error).split('\n')[0] ?? ''
}
