/** Who may ask the console, what every answer carries, and what an action needs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeadLetterList, DeadLetterPage, Problem } from '../../../console/api.ts'
import { isLabanError } from '../../../runtime/internal.ts'
import fragile from '../../e2e/agents/fragile.ts'
import tally from '../../e2e/agents/tally.ts'
import { TRIAL_CONTRACTS } from '../../e2e/agents/trial.ts'
import { openConsoleWorld, type ConsoleWorld, type ConsoleWorldOptions } from '../../harness/console-world.ts'
import { waitFor } from '../../harness/wait.ts'

const TOKEN = 'an-operator-token-of-a-test'
const BEARER = { authorization: `Bearer ${TOKEN}` }

function openWorld(more: Partial<ConsoleWorldOptions> = {}): Promise<ConsoleWorld> {
  return openConsoleWorld({ contractsDir: TRIAL_CONTRACTS, agents: [fragile, tally], ...more })
}

let world: ConsoleWorld

beforeAll(async () => {
  world = await openWorld({ operatorToken: TOKEN, allowedHosts: ['laban.example.com'] })
})
afterAll(() => world.stop())

interface Asked {
  readonly status: number
  readonly code: string | undefined
}

async function ask(
  url: string,
  headers: Record<string, string>,
  method: 'GET' | 'POST' = 'GET',
  payload?: object,
): Promise<Asked> {
  const answer = await world.app.inject({ url, headers, method, ...(payload === undefined ? {} : { payload }) })
  const { error } = answer.headers['content-type']?.toString().includes('json')
    ? answer.json<{ error?: Problem }>()
    : {}
  return { status: answer.statusCode, code: error?.code }
}

describe('the guard', () => {
  it.each(['127.0.0.1:9470', 'localhost:9470', '[::1]:9470', 'laban.example.com', 'LABAN.example.com:80'])(
    'answers under %s',
    async (host) => {
      expect(await ask('/api/about', { host })).toEqual({ status: 200, code: undefined })
    },
  )

  it.each(['evil.example.com', '127.0.0.1.evil.example.com', 'localhost.evil.example.com:9470'])(
    'does not answer under "%s": a foreign name that leads here is an attack',
    async (host) => {
      expect(await ask('/api/about', { host })).toEqual({ status: 403, code: 'LABAN_CONSOLE_HOST' })
      expect(await ask('/', { host })).toEqual({ status: 403, code: 'LABAN_CONSOLE_HOST' })
    },
  )

  it('does not answer pages of other addresses', async () => {
    const host = '127.0.0.1:9470'
    const refused = { status: 403, code: 'LABAN_CONSOLE_ORIGIN' }
    expect(await ask('/api/about', { host, origin: 'http://127.0.0.1:9470' })).toMatchObject({ status: 200 })
    expect(await ask('/api/about', { host, origin: 'http://127.0.0.1:9471' })).toEqual(refused)
    expect(await ask('/api/about', { host, origin: 'null' })).toEqual(refused)
    expect(await ask('/api/about', { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toEqual(
      refused,
    )
    expect(await ask('/flows', { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).toMatchObject({
      status: 200,
    })
  })

  it.each(['/', '/api/about', '/api/none', '/assets/none.js'])(
    'sends the policy with %s and sets no cookie',
    async (url) => {
      const { headers } = await world.app.inject({ url })
      expect(headers['content-security-policy']).toMatch(/^default-src 'self'; /)
      expect(headers['content-security-policy']).not.toContain('unsafe')
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      })
      expect(headers).not.toHaveProperty('set-cookie')
      expect(headers).not.toHaveProperty('access-control-allow-origin')
    },
  )

  it('gives the page for every address of its own, and no file outside of it', async () => {
    for (const url of ['/', '/flows/abc', '/contracts/credit.decision-made']) {
      expect((await world.app.inject({ url })).body).toContain('<title>a page</title>')
    }
    const asset = await world.app.inject({ url: '/assets/a-1.css' })
    expect(asset.headers['cache-control']).toContain('immutable')
    expect(await ask('/assets/../../package.json', {})).not.toMatchObject({ code: undefined, status: 500 })
    expect((await world.app.inject({ url: '/assets/..%2f..%2fpackage.json' })).statusCode).toBe(404)
    expect(await ask('/api/none', {})).toEqual({ status: 404, code: 'LABAN_CONSOLE_NOT_FOUND' })
    expect(await ask('/', {}, 'POST')).toEqual({ status: 404, code: 'LABAN_CONSOLE_NOT_FOUND' })
  })
})

describe('an action', () => {
  it('needs the token', async () => {
    const refused = { status: 401, code: 'LABAN_CONSOLE_TOKEN' }
    for (const authorization of ['', TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, 'Bearer '])
      expect(await ask('/api/actions/redrive', { authorization }, 'POST', {})).toEqual(refused)
    expect(await ask('/api/actions/check', BEARER, 'POST')).toMatchObject({ status: 200 })
  })

  it('is JSON, names who acts, and is not too large', async () => {
    const letters = [{ agent: 'trial.fragile', place: 'x/0@0' }]
    const bad = { status: 400, code: 'LABAN_USAGE' }
    expect(await ask('/api/actions/redrive', BEARER, 'POST', { letters })).toEqual(bad)
    expect(await ask('/api/actions/redrive', BEARER, 'POST', { letters: [], by: 'Ada' })).toEqual(bad)
    expect(await ask('/api/actions/discard', BEARER, 'POST', { letters, by: 'Ada' })).toEqual(bad)
    expect(await ask('/api/actions/edit', BEARER, 'POST', { letters, by: 'Ada' })).toEqual(bad)
    const text = await world.app.inject({
      url: '/api/actions/redrive',
      method: 'POST',
      headers: { ...BEARER, 'content-type': 'text/plain' },
      payload: '{}',
    })
    expect(text.statusCode).toBe(415)
    const large = await ask('/api/actions/edit', BEARER, 'POST', { letters, by: 'Ada', value: 'x'.repeat(3_000_000) })
    expect(large.status).toBe(413)
    expect(await ask('/api/actions/redrive', BEARER, 'POST', { letters, by: 'Ada' })).toEqual({
      status: 404,
      code: 'LABAN_DEAD_LETTER_NOT_FOUND',
    })
  })

  it('stands in the facts with the name of who did it, and is not done twice', async () => {
    await world.publisher.publish('trial.begun' as never, { number: 11, lane: 'b' } as never)
    const letter = await waitFor(
      async () => (await world.app.inject({ url: '/api/dead-letters' })).json<DeadLetterList>().groups[0]?.letters[0],
      { timeoutMs: 10_000, what: 'a dead letter' },
    )
    const request = { letters: [letter], by: 'Ada', reason: 'test data' }
    expect(await ask('/api/actions/discard', BEARER, 'POST', request)).toMatchObject({ status: 200 })
    const url = `/api/dead-letters/trial.fragile?place=${encodeURIComponent(letter.place)}`
    const page = await waitFor(
      async () => {
        const found = (await world.app.inject({ url })).json<DeadLetterPage>()
        return found.audit.length > 0 ? found : undefined
      },
      { what: 'the audit' },
    )
    expect(page.letter).toMatchObject({ status: 'discarded', note: 'test data' })
    expect(page.audit).toMatchObject([{ action: 'discarded', by: 'Ada', note: 'test data' }])
    expect(await ask('/api/actions/discard', BEARER, 'POST', request)).toEqual({ status: 400, code: 'LABAN_USAGE' })
  })
})

describe('without a token, or on a run that has ended', () => {
  it.each([{}, { operatorToken: TOKEN, isWritable: false }])('nothing can be done: %j', async (options) => {
    const other = await openWorld(options)
    try {
      const answer = await other.app.inject({
        url: '/api/actions/redrive',
        method: 'POST',
        headers: BEARER,
        payload: {},
      })
      expect(answer.statusCode).toBe(403)
      expect(answer.json<{ error: Problem }>().error.code).toBe('LABAN_CONSOLE_ACTIONS_OFF')
    } finally {
      await other.stop()
    }
  })

  it('a token that is easily guessed is refused', async () => {
    const opening = openWorld({ operatorToken: 'short' })
    await expect(opening).rejects.toSatisfy((error) => isLabanError(error) && error.code === 'LABAN_CONFIG_INVALID')
  })
})
