/** `laban why` on the real servers: faults from outside, and the verdict of the real command line. More of them: `npm run trial -- why`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rootOf, type Diagnosis } from '../../tracing/index.ts'
import { waitFor } from '../harness/wait.ts'
import { Shop } from '../trials/why/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await Shop.open()
  await shop.start()
}, 120_000)
afterAll(() => shop.close(), 120_000)

/** Asks until the root has this code, and gives what was said then. */
async function expectVerdict(id: string, code: string): Promise<Diagnosis> {
  let last: Diagnosis | undefined
  try {
    return await waitFor(
      async () => {
        last = (await shop.why(id)).diagnosis
        return rootOf(last.verdict).code === code ? last : undefined
      },
      { timeoutMs: 20_000, what: code },
    )
  } catch (cause) {
    throw new Error(`never ${code}: ${JSON.stringify(last?.verdict, null, 2)}`, { cause })
  }
}

describe('laban why on the real servers', () => {
  it('says nothing bad of a flow that completes', async () => {
    const id = await shop.place()
    const diagnosis = await expectVerdict(id, 'completed')
    expect(diagnosis.also).toEqual([])
    expect((await shop.why(id)).code).toBe(0)
  }, 60_000)

  it('names a poisoned event behind a join that lacks it, and what waits behind it', async () => {
    const poisoned = await shop.place('poison', 'ann')
    const next = await shop.place('', 'ann')
    const dead = await expectVerdict(poisoned, 'dead-lettered')
    expect(rootOf(dead.verdict)).toMatchObject({ subject: { agent: 'shop.pricer' } })
    expect((await shop.why(poisoned)).code).toBe(2)
    const behind = await expectVerdict(next, 'dead-lettered')
    expect(rootOf(behind.verdict).subject.flowId).toBe(poisoned)
  }, 60_000)

  it('names the agent that does not run', async () => {
    await shop.end('checker', 'SIGTERM')
    const id = await shop.place()
    const diagnosis = await expectVerdict(id, 'no-live-consumer')
    expect(rootOf(diagnosis.verdict)).toMatchObject({ subject: { agent: 'shop.checker' } })
    await shop.start(['checker'])
    await expectVerdict(id, 'completed')
  }, 90_000)
})
