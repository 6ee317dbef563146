/** `laban why` on the real servers: some of the faults of `npm run trial -- why`, injected from outside. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../harness/wait.ts'
import { codesIn, names } from '../trials/why/codes.ts'
import { DATA_FAULTS } from '../trials/why/data-faults.ts'
import type { Fault } from '../trials/why/fault.ts'
import { INSTANCE_FAULTS } from '../trials/why/instance-faults.ts'
import { PROCESS_FAULTS } from '../trials/why/process-faults.ts'
import { SERVER_FAULTS } from '../trials/why/server-faults.ts'
import { Shop } from '../trials/why/shop.ts'

/** A handful that is quick, one of each kind. */
const CHOSEN = [
  'agent killed',
  'poisoned event',
  'same customer: an earlier order is a dead letter',
  'join that can never complete: its agent decided not to publish',
  'bytes that are not Avro',
  'event that nobody subscribes to',
  'event chain that comes back to where it began',
  'registry away while a flow stands for another reason',
  'store killed',
]
const FAULTS = [...DATA_FAULTS, ...PROCESS_FAULTS, ...SERVER_FAULTS, ...INSTANCE_FAULTS].filter(({ name }) =>
  CHOSEN.includes(name),
)
/** A machine of continuous integration may be slower than the five seconds of the trial. */
const NAMED_WITHIN_MS = 30_000

let shop: Shop
beforeAll(async () => {
  shop = await Shop.open()
  await shop.start()
}, 120_000)
afterAll(() => shop.close(), 120_000)

async function expectNamed(fault: Fault): Promise<string> {
  const { id } = await fault.inject(shop)
  let said: readonly string[] = []
  const isNamed = async (): Promise<boolean> => {
    const diagnosis = await shop.look(id)
    said = codesIn(diagnosis)
    return names(diagnosis, fault.expects, fault.agent)
  }
  await waitFor(isNamed, { timeoutMs: NAMED_WITHIN_MS, what: fault.expects.join(' or ') }).catch((cause: unknown) => {
    throw new Error(`it said ${said.join(', ')}`, { cause })
  })
  return id
}

describe('laban why on the real servers', () => {
  it('says nothing bad of a flow that completes, and exits with 0', async () => {
    const id = await shop.place()
    await waitFor(async () => codesIn(await shop.look(id)).includes('completed'), { timeoutMs: NAMED_WITHIN_MS })
    const { code, diagnosis } = await shop.why(id)
    expect({ code, verdict: diagnosis.verdict.code, also: diagnosis.also }).toEqual({
      code: 0,
      verdict: 'completed',
      also: [],
    })
  }, 60_000)

  it.each(FAULTS)('names: $name', { timeout: 90_000 }, async (fault) => {
    try {
      await expectNamed(fault)
    } finally {
      await fault.heal?.(shop)
    }
  })

  it('prints the verdict first and the command to run, and exits with 2; --stuck lists it by its cause', async () => {
    const id = await shop.place('poison')
    await waitFor(async () => codesIn(await shop.look(id)).includes('dead-lettered'), { timeoutMs: NAMED_WITHIN_MS })
    const one = await shop.deployment.laban(['why', id, '--on', 'kafka'])
    expect(one).toMatchObject({ code: 2 })
    expect(one.stdout.split('\n')[0]).toMatch(/^dead-lettered {2}shop\.pricer could not handle shop\.order-placed: /)
    expect(one.stdout).toMatch(/next +laban dlq redrive/)
    const all = await shop.deployment.laban(['why', '--stuck', '--on', 'kafka'])
    expect(all).toMatchObject({ code: 2 })
    expect(all.stdout).toMatch(/\d+ × dead-lettered {2}shop\.pricer/)
  }, 60_000)
})
