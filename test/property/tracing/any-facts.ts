/** Facts and records of one flow as nobody should write them: everything may name everything, and contradict it. */
import fc from 'fast-check'
import type { Fact, FactOutcome } from '../../../contracts/fact.ts'
import { deriveId, joinHandlingId } from '../../../contracts/ids.ts'
import type { Manifest } from '../../../contracts/manifest.ts'
import type { SeenEvent } from '../../../tracing/event-drafts.ts'
import { EPOCH_MS, Story } from '../../unit/tracing/story.ts'

export const FLOW_ID = deriveId('flow of anything')
const AGENTS = ['a.one', 'a.two', 'b.join']
const OUTCOMES: readonly FactOutcome[] = [
  ...(['published', 'started', 'completed', 'duplicate', 'rejected', 'retried', 'dead-lettered', 'waiting'] as const),
  ...(['late', 'suspended', 'lost', 'id-conflict', 'compensated', 'cancelled'] as const),
]
const id = fc.integer({ min: 0, max: 7 }).map((number) => deriveId('event', String(number)))
const topic = fc.constantFrom('t.a', 't.b', 'u.c')
const key = fc.constantFrom(null, null, 'key-1', 'key-2')
const place = { topic, partition: fc.nat(1), offset: fc.nat(5) }
const atMs = fc.nat(50).map((ms) => EPOCH_MS + ms)
const causes = fc.array(id, { maxLength: 2 })

const input = fc.record({
  ...place,
  ...{ eventId: id, hop: fc.nat(3), source: fc.constantFrom(...AGENTS), causes, recordedAtMs: atMs, key },
})
const output = fc.record({
  ...place,
  offset: fc.integer({ min: -1, max: 5 }),
  eventId: id,
  hash: fc.constantFrom('', 'h1', 'h2'),
  key,
})

/** Of any outcome, with any inputs and outputs. */
export const anyFact: fc.Arbitrary<Fact> = fc.constantFrom(...AGENTS).chain((agent) =>
  fc.record({
    ...{ formatVersion: fc.constant(1), outcome: fc.constantFrom(...OUTCOMES), flowId: fc.constant(FLOW_ID) },
    ...{ agent: fc.constant(agent), agentVersion: fc.constant('1'), instance: fc.constantFrom('i-1', 'i-2') },
    handlingId: fc.oneof(id, fc.constant(joinHandlingId(agent, FLOW_ID))),
    inputs: fc.array(input, { maxLength: 3 }),
    ...{ attempt: fc.nat(3), startedAtMs: atMs, endedAtMs: atMs },
    ...{ errorCode: fc.constantFrom(null, 'E'), errorMessage: fc.constant(null) },
    ...{ traceId: fc.constantFrom(null, 'aa', 'bb'), spanId: fc.constant(null) },
    outputs: fc.array(output, { maxLength: 3 }),
    steps: fc.constant([]),
    detail: fc.constantFrom({}, { deadLetter: 'x/0@1' }, { found: 'handed' }, { action: 'replaced' }),
  }),
)

/** A record of any event, at any place. */
export const anyRecord: fc.Arbitrary<SeenEvent> = fc.record({
  envelope: fc.record({
    ...{ id, type: topic, source: fc.constantFrom(...AGENTS), time: fc.constant(''), flowId: fc.constant(FLOW_ID) },
    ...{ causes, hop: fc.nat(3), contentHash: fc.constantFrom('', 'h1', 'h2') },
  }),
  position: fc.record(place),
  recordedAtMs: atMs,
  key,
})

/** Manifests of some of the agents. */
export const anyManifests: fc.Arbitrary<readonly Manifest[]> = fc.subarray([
  ...new Story('of anything')
    .agent('a.one', ['t.a', 't.b'])
    .agent('a.two', ['t.b', 'u.c'])
    .agent('b.join', ['t.a', 'u.c'], true).manifests,
])
