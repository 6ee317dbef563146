/** Steps keep the types of their results, and what the guide shows compiles. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'

const GUIDE = join(import.meta.dirname, '..', '..', 'docs', 'guides', 'steps.md')
const SNIPPET = /```ts\n([^]*?)```/.exec(readFileSync(GUIDE, 'utf8'))?.[1] ?? ''
/** What the reader of the guide has. */
const OUTSIDE = `
import type { EventOf } from 'laban'
declare function askModel(event: unknown, signal: AbortSignal): Promise<{ result: EventOf<'analysis.ready'>; tokens: number }>
declare function charge(event: unknown, key: string): Promise<string>
declare function findCharge(key: string): Promise<{ found: string } | undefined>
`
const USE = (code: string): string => `
import type { HandlerContext } from 'laban'
export async function use({ step, effect }: HandlerContext): Promise<void> { void step; void effect; ${code} }
`

describe('the types of steps', () => {
  it('let the guide compile, infer results, and refuse options that do not fit them', () => {
    expect(SNIPPET).toContain('defineAgent')
    const messages = compile({
      guide: OUTSIDE + SNIPPET,
      inferred: USE(
        `const n: number = await step('n', async () => 1); const u: undefined = await step('u', () => undefined); void n; void u`,
      ),
      wrong: USE(`const n: string = await step('n', () => 1); void n`),
      cost: USE(`await step('n', () => 1, { cost: (result: string) => result.length })`),
      reconcile: USE(
        `const s: string = await effect('e', (key) => key, { reconcile: (key) => ({ found: key }) }); void s`,
      ),
    })
    expect(messages['guide']).toEqual([])
    expect(messages['inferred']).toEqual([])
    expect(messages['reconcile']).toEqual([])
    expect(messages['wrong']?.[0]).toMatch(/'number' is not assignable to type 'string'/)
    expect(messages['cost']).toHaveLength(1)
  })
})
