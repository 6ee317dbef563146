/** What every schema registry must do; run by `registry.memory.test.ts` and `registry.confluent.test.ts`. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canonicalSchema } from '../../contracts/canonical-schema.ts'
import type { SchemaRegistry } from '../../contracts/registry.ts'

interface TestField {
  readonly name: string
  readonly type: unknown
  readonly default?: unknown
}

function schemaText(fields: readonly TestField[]): string {
  const result = canonicalSchema({ type: 'record', name: 'Order', namespace: 'shop', fields }, () => undefined)
  if (!('schemaText' in result)) throw new TypeError(result.problem)
  return result.schemaText
}

const AMOUNT = { name: 'amount', type: 'int' }
const FIRST = schemaText([AMOUNT])
const WITH_NOTE = schemaText([AMOUNT, { name: 'note', type: ['null', 'string'], default: null }])
const WITH_COUNT = schemaText([AMOUNT, { name: 'count', type: 'int' }])

/** Describes a registry that `open` makes; each test uses subjects of its own. */
export function describeRegistry(name: string, open: () => SchemaRegistry): void {
  describe(`registry: ${name}`, () => {
    let registry: SchemaRegistry
    let subject: string
    beforeEach(() => {
      registry = open()
      subject = `conformance.registry-${randomUUID()}-value`
    })
    afterEach(() => registry.close())

    it('knows nothing of a subject that was never registered', async () => {
      expect(await registry.lookup(subject, FIRST)).toBeUndefined()
      expect(await registry.versions(subject)).toEqual([])
      expect(await registry.incompatibilities(subject, FIRST)).toEqual([])
    })

    it('finds a registered schema by text and by id', async () => {
      const schemaId = await registry.register(subject, FIRST)
      expect(schemaId).toBeGreaterThan(0)
      expect(schemaId).toBeLessThan(2 ** 31)
      expect(await registry.lookup(subject, FIRST)).toBe(schemaId)
      expect(await registry.schemaById(schemaId)).toMatchObject({ type: 'record', name: 'shop.Order' })
    })

    it('gives the same id when the same text is registered again', async () => {
      const schemaId = await registry.register(subject, FIRST)
      expect(await registry.register(subject, FIRST)).toBe(schemaId)
      expect(await registry.versions(subject)).toHaveLength(1)
    })

    it('does not find another text under the subject', async () => {
      await registry.register(subject, FIRST)
      expect(await registry.lookup(subject, WITH_NOTE)).toBeUndefined()
    })

    it('lists compatible versions, oldest first', async () => {
      const first = await registry.register(subject, FIRST)
      const second = await registry.register(subject, WITH_NOTE)
      const versions = await registry.versions(subject)
      expect(versions.map(({ schemaId, version }) => [schemaId, version])).toEqual([
        [first, 1],
        [second, 2],
      ])
      expect(JSON.stringify(versions[1]?.schema)).toBe(WITH_NOTE)
    })

    it('refuses a field without default, and says where', async () => {
      await registry.register(subject, FIRST)
      expect((await registry.incompatibilities(subject, WITH_COUNT)).join()).toContain('count')
      await expect(registry.register(subject, WITH_COUNT)).rejects.toMatchObject({
        code: 'LABAN_CONTRACT_INCOMPATIBLE',
        details: { path: 'count', version: 1 },
      })
      expect(await registry.versions(subject)).toHaveLength(1)
    })

    it('checks against all versions, not only the newest', async () => {
      const flag = { name: 'flag', type: 'string', default: '' }
      await registry.register(subject, schemaText([AMOUNT, flag]))
      await registry.register(subject, FIRST)
      const changed = schemaText([AMOUNT, { name: 'flag', type: 'int', default: 0 }])
      expect((await registry.incompatibilities(subject, changed)).join()).toContain('flag')
      await expect(registry.register(subject, changed)).rejects.toMatchObject({ code: 'LABAN_CONTRACT_INCOMPATIBLE' })
    })

    it('says that an id is unknown, also one beyond any real id', async () => {
      for (const schemaId of [2_000_000_011, 4_294_967_295]) {
        await expect(registry.schemaById(schemaId)).rejects.toMatchObject({ code: 'LABAN_CONTRACT_UNKNOWN_SCHEMA' })
      }
    })
  })
}
