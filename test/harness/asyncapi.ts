/** Checks AsyncAPI documents with the JSON schema that the specification publishes, its bindings for Kafka and its Avro included. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv, type AnySchema } from 'ajv'

const require = createRequire(import.meta.url)

/** What is wrong with a document, one line each: what the schema refuses, and references that lead nowhere. */
export function asyncApiFaults(document: object): readonly string[] {
  const schema = JSON.parse(readFileSync(require.resolve('@asyncapi/specs/schemas/3.0.0.json'), 'utf8')) as AnySchema
  // The schema brings the one of JSON schema itself; unknown keywords and formats in it are its own business.
  const options = { meta: false, validateSchema: false, strict: false, validateFormats: false } as const
  const validate = new Ajv({ ...options, allErrors: true }).compile(schema)
  const isAllowed = validate(document) === true
  const refused = (isAllowed ? [] : (validate.errors ?? [])).map(
    ({ instancePath, message }) => `${instancePath} ${message ?? ''}`,
  )
  return [...refused, ...danglingReferences(document, document)]
}

function danglingReferences(part: unknown, document: object): readonly string[] {
  if (typeof part !== 'object' || part === null) return []
  return Object.entries(part).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string'
      ? resolves(value, document)
        ? []
        : [`${value} leads nowhere`]
      : danglingReferences(value, document),
  )
}

/** Follows `#/a/b`, through references on the way. */
function resolves(reference: string, document: object): boolean {
  let at: unknown = document
  for (const step of reference.replace(/^#\//, '').split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !(key in at)) return false
    at = (at as Readonly<Record<string, unknown>>)[key]
  }
  return true
}
