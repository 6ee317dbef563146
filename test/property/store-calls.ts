/** Random calls of a store over few handlings, owners and attempts, so that they meet; and the comparison with the model. */
import fc from 'fast-check'
import { expect } from 'vitest'
import { joinHandlingId } from '../../contracts/ids.ts'
import type { ClaimStore, Store } from '../../runtime/ports/claim-store.ts'
import { StoreModel } from './store-model.ts'

/** A batch for one method: what the store answers, and what the model does. */
interface Call {
  readonly method: keyof ClaimStore
  ask(claims: ClaimStore): Promise<readonly unknown[]>
  expected(model: StoreModel): readonly unknown[]
}

const TOPICS = ['t.one', 't.two'] as const
/** In two different slots. */
const FLOWS = ['00000000-0000-4000-8000-000000000000', '00010000-0000-4000-8000-000000000001'] as const

function callsOf(agent: string): fc.Arbitrary<Call> {
  const ref = fc.constantFrom(...FLOWS).chain((flowId) =>
    fc.record({
      flowId: fc.constant(flowId),
      handlingId: fc.constantFrom('aaaaaaaa-0000-4000-8000-000000000000', joinHandlingId(agent, flowId)),
    }),
  )
  const owner = fc.constantFrom('a', 'ü')
  const attempt = fc.constantFrom(1, 1, 1, 2, 2, 3)
  const heldBy = fc.record({ owner: fc.constantFrom('a', 'ü', ''), attempt })
  const from = fc.oneof(fc.constant('absent' as const), heldBy)
  const computedBy = fc.record({ computedBy: owner, attempt })
  const deaths = fc.constantFrom(0, 0, 0, 1, 2)
  const redrive = fc.record({ deadGeneration: fc.constantFrom(1, 2) })
  const handed = fc.record({ handed: fc.constantFrom('retry' as const, 'parked' as const), attempt })
  const bytes = fc.uint8Array({ maxLength: 6 }).map((array) => Buffer.from(array))
  const offset = fc.constantFrom(1, 2 ** 40)
  const name = fc.constantFrom('charge', 'größe')
  const kind = fc.constantFrom('retry' as const, 'parked' as const, 'joined' as const)
  const member = fc.record({
    eventId: fc.constantFrom('11111111-0000-4000-8000-000000000000', '22222222-0000-4000-8000-000000000000'),
    topic: fc.constantFrom(...TOPICS),
    partition: fc.constant(2),
    offset,
    record: bytes,
  })
  const position = fc.record({ topic: fc.constant('t.one'), partition: fc.constant(0), offset })
  const onRef = <T extends object>(rest: fc.Arbitrary<T>) =>
    fc.tuple(ref, rest).map(([handling, more]) => ({ ...handling, ...more }))
  return fc.oneof(
    callOf('read', ref),
    callOf('finish', onRef(fc.record({ hasJournal: fc.boolean() }))),
    callOf('claim', onRef(fc.record({ owner, from: fc.oneof(from, from, redrive, handed), deaths }))),
    callOf('compute', onRef(fc.record({ owner, attempt, from, position, outputs: bytes }))),
    callOf('hand', onRef(fc.record({ from, kind, attempt }))),
    callOf(
      'bury',
      onRef(
        fc.record({
          from: fc.oneof(from, from, computedBy),
          note: fc.constantFrom(Buffer.from('why'), Buffer.from([0])),
        }),
      ),
    ),
    callOf('settle', onRef(fc.record({ generation: fc.constantFrom(1, 1, 2) }))),
    callOf('release', onRef(fc.record({ owner, attempt }))),
    callOf('readJournal', ref),
    callOf('writeJournal', onRef(fc.record({ owner, attempt, name, value: bytes }))),
    callOf('join', fc.record({ flowId: fc.constantFrom(...FLOWS), topics: fc.constant(TOPICS), member })),
  )
}

function callOf<M extends Exclude<keyof ClaimStore, 'enter'>>(
  method: M,
  request: fc.Arbitrary<Parameters<ClaimStore[M]>[0][number]>,
): fc.Arbitrary<Call> {
  return fc.array(request, { minLength: 1, maxLength: 3 }).map((requests) => ({
    method,
    ask: (claims) => (claims[method] as (batch: typeof requests) => Promise<readonly unknown[]>)(requests),
    expected: (model) => requests.map((each) => (model[method] as (one: typeof each) => unknown).call(model, each)),
    [fc.toStringMethod]: () => `${method} ${fc.stringify(requests)}`,
  }))
}

/**
 * Runs random sequences on fresh stores, and compares every answer with the model's.
 * Also checks that it has tested something: every transition must have been accepted and refused.
 */
export async function compareWithModel(openStore: () => Store, numRuns: number): Promise<void> {
  const agent = 'test.model'
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(callsOf(agent), { size: 'max', minLength: 1, maxLength: 60 }), async (calls) => {
      const store = openStore()
      await store.connect()
      const claims = store.claimsOf(agent, { dedupMs: 600_000, joinTtlMs: 600_000 })
      const model = new StoreModel(agent)
      try {
        for (const call of calls) {
          const answers = await call.ask(claims)
          expect(answers).toEqual(call.expected(model))
          for (const answer of answers) seen.add(`${call.method} ${outcomeOf(answer)}`)
        }
      } finally {
        await store.close()
      }
    }),
    { numRuns },
  )
  const transitions = ['claim', 'compute', 'finish', 'hand', 'bury', 'settle', 'release', 'writeJournal']
  const outcomes = transitions.flatMap((method) => [`${method} accepted`, `${method} refused`])
  outcomes.push('readJournal with values')
  expect([...seen]).toEqual(expect.arrayContaining([...outcomes, 'join recorded', 'join already', 'join late']))
}

function outcomeOf(answer: unknown): string {
  if (answer instanceof Map) return answer.size > 0 ? 'with values' : 'empty'
  const { accepted, result } = answer as { accepted?: boolean; result?: string }
  return result ?? (accepted === true ? 'accepted' : 'refused')
}
