/** Looking up this process's schema ids: what is needed must be registered, what is not may be missing. */
import { describe, expect, it } from 'vitest'
import { createCodec } from '../../../contracts/create-codec.ts'
import { createFolderRegistry } from '../../../contracts/registry-folder.ts'
import type { SchemaRegistry } from '../../../contracts/registry.ts'
import { resolveSchemaIds } from '../../../contracts/schema-ids.ts'
import { testContracts } from '../../harness/world.ts'

/** A registry that knows only some subjects. */
function knowing(...subjects: string[]): SchemaRegistry {
  const registry = createFolderRegistry(testContracts)
  return {
    ...registry,
    lookup: (subject, text) =>
      subjects.includes(subject) ? registry.lookup(subject, text) : Promise.resolve(undefined),
  }
}

const topics = ['test.in', 'test.out']
const registry = knowing('test.in-value')

describe('schema ids', () => {
  it('are refused when a needed contract is not registered, naming topic and subject', async () => {
    const ids = resolveSchemaIds(testContracts, registry, topics, { register: false, namespace: '' })
    await expect(ids).rejects.toMatchObject({
      code: 'LABAN_SCHEMA_MISSING',
      details: { topic: 'test.out', subject: 'test.out-value' },
    })
  })

  it('leave out what nobody needs; encoding for it says what is missing', async () => {
    const needs = (topic: string): boolean => topic === 'test.in'
    const ids = await resolveSchemaIds(testContracts, registry, topics, { register: false, namespace: '', needs })
    expect([...ids.keys()]).toEqual(['test.in'])
    const codec = createCodec({ contracts: testContracts, registry, schemaIds: ids })
    expect(codec.encode('test.in', { text: '', count: 0 })).toBeInstanceOf(Buffer)
    expect(() => codec.encode('test.out', { text: '', count: 0 })).toThrow(/test\.out/)
  })
})
