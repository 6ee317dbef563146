import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createContractSet, loadContracts } from '../../../contracts/contract-set.ts'
import { generateTypes } from '../../../contracts/generate-types.ts'
import { planTopics } from '../../../contracts/topic-plan.ts'
import { checkFullTransitive } from '../../../contracts/compatibility.ts'

const DIR = join(import.meta.dirname, '..', '..', '..', 'contracts')

describe('generateTypes', () => {
  it('writes one interface per record, literals for enums and the merge into Events', () => {
    const place = {
      type: 'record',
      name: 'Place',
      namespace: 'geo',
      doc: 'Where */ it is',
      fields: [{ name: 'lat', type: 'double' }],
    }
    const fields = [
      { name: 'at', type: place },
      { name: 'via', type: ['null', { type: 'array', items: 'geo.Place' }], default: null },
      { name: 'mode', type: { type: 'enum', name: 'Mode', symbols: ['air', 'sea'], default: 'sea' } },
      { name: 'tags', type: { type: 'map', values: ['string', 'null'] }, doc: 'Free\n  words' },
      { name: 'parts', type: { type: 'array', items: ['null', 'long'] } },
      { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
      { name: 'sent', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ]
    const schema = { type: 'record', name: 'Moved', namespace: 'trade', fields }
    expect(generateTypes(createContractSet({ 'trade.moved': { schema } })))
      .toBe(`// Generated from the contracts by \`laban generate\`. Do not edit: change the .avsc files and generate again.

/** Where *\\/ it is */
export interface GeoPlace {
  readonly lat: number
}

export type TradeHash = Uint8Array

export type TradeMode = 'air' | 'sea'

export interface TradeMoved {
  readonly at: GeoPlace
  readonly via: readonly GeoPlace[] | null
  readonly mode: TradeMode
  /** Free words */
  readonly tags: Readonly<Record<string, string | null>>
  readonly parts: readonly (number | null)[]
  readonly hash: TradeHash
  readonly sent: number
}

declare module 'laban' {
  interface Events {
    'trade.moved': TradeMoved
  }
}
`)
  })

  it('refuses two types that TypeScript could not tell apart', () => {
    const schema = (name: string): object => ({ type: 'record', name, fields: [] })
    const contracts = createContractSet({
      'a.x': { schema: { ...schema('a.b.C') } },
      'a.y': { schema: { ...schema('a.B_C') } },
    })
    expect(() => generateTypes(contracts)).toThrow(/would both be called ABC/)
  })
})

describe("this repository's contracts", () => {
  const contracts = loadContracts({ dir: DIR })

  it('have types that are up to date (run `laban generate`)', () => {
    expect(readFileSync(join(DIR, 'generated', 'events.ts'), 'utf8')).toBe(generateTypes(contracts))
  })

  it('are compatible with everything that was released, and released as they are', () => {
    for (const { name, schema, schemaText } of contracts.topics.values()) {
      expect(checkFullTransitive(schema, contracts.history(name)), name).toEqual([])
      expect(contracts.history(name).at(-1)?.schemaText, `newest release of ${name}`).toBe(schemaText)
    }
  })

  it.each([undefined, 'production'])('make topics that keep facts long enough (environment: %s)', (environment) => {
    const set = loadContracts({ dir: DIR, ...(environment === undefined ? {} : { environment }) })
    expect(planTopics([...set.topics.values()], []).refusals).toEqual([])
  })
})
