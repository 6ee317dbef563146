/** What the guide on databases shows compiles, and a handler in a transaction keeps the types of its topics. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'

const GUIDE = join(import.meta.dirname, '..', '..', 'docs', 'guides', 'databases.md')
const SNIPPETS = [...readFileSync(GUIDE, 'utf8').matchAll(/```ts\n([^]*?)```/g)].map(([, text = '']) => text)
/** What the reader of the guide has. */
const OUTSIDE = `
import pg from 'pg'
import { createPublisher, type EventOf } from 'laban'
import { createOutbox } from 'laban/outbox'
`
const AGENT = `
import type { EventOf } from 'laban'
declare function score(application: EventOf<'credit.application-received'>): EventOf<'credit.score-calculated'>
`
const PROGRAM = `${OUTSIDE}
declare const db: pg.PoolClient, application: EventOf<'credit.application-received'>, log: undefined
const outbox = createOutbox({ pool: new pg.Pool() })
`
const WISH = `
import type { EventOf } from 'laban'
declare function print(analysis: EventOf<'analysis.ready'>, key: string): Promise<EventOf<'report.published'>>
declare function findPrinted(key: string): Promise<{ found: EventOf<'report.published'> } | undefined>
`

describe('the types of the outbox', () => {
  it('let the guide compile, and refuse topics and values that do not fit', () => {
    const [agent = '', insert = '', relay = '', wish = ''] = SNIPPETS
    const program = `${PROGRAM}${insert}${relay.replace('{ publisher, log }', '{ publisher }')}void relay; void log`
    const messages = compile({
      agent: AGENT + agent,
      program,
      wish: WISH + wish,
      topic: AGENT + agent.replace("publish('credit.score-calculated'", "publish('credit.fraud-checked'"),
      field: AGENT + agent.replace('application.purpose', 'application.purposes'),
    })
    expect(SNIPPETS).toHaveLength(4)
    expect(messages['agent']).toEqual([])
    expect(messages['program']).toEqual([])
    expect(messages['wish']).toEqual([])
    expect(messages['topic']?.[0]).toContain('credit.fraud-checked')
    expect(messages['field']?.[0]).toContain('purposes')
  })
})
