/** Reconstruction is a fold: order and repetition of facts and records change nothing, and missing ones never make it fail. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasPlainlyEnded } from '../../../tracing/plain-end.ts'
import { reconstructFlow } from '../../../tracing/reconstruct.ts'
import { Subscriptions } from '../../../tracing/subscriptions.ts'
import type { Story } from '../../unit/tracing/story.ts'
import * as stories from '../../unit/tracing/stories.ts'
import { anyFact, anyManifests, anyRecord, FLOW_ID } from './any-facts.ts'

const told: readonly Story[] = [
  stories.linear(),
  stories.credit(),
  stories.retried(),
  stories.deadLettered(),
  stories.lateAndDuplicate(),
  stories.incomplete(),
]
const story = fc.constantFrom(...told)
const shuffled = <T>(items: readonly T[]) => fc.shuffledSubarray([...items], { minLength: items.length })
const some = <T>(items: readonly T[]) => fc.shuffledSubarray([...items])

describe('reconstructFlow', () => {
  it('does not depend on order or repetition', () => {
    const case_ = story.chain((one) =>
      fc.record({
        one: fc.constant(one),
        facts: shuffled(one.facts),
        again: some(one.facts),
        events: shuffled(one.records),
        eventsAgain: some(one.records),
        manifests: shuffled(one.manifests),
      }),
    )
    fc.assert(
      fc.property(case_, ({ one, facts, again, events, eventsAgain, manifests }) => {
        const graph = reconstructFlow({
          flowId: one.flowId,
          facts: [...facts, ...again],
          events: [...events, ...eventsAgain],
          manifests,
        })
        expect(graph).toEqual(one.graphFromLog())
      }),
    )
  })

  it('does not depend on order or repetition, whatever facts and records say', () => {
    const case_ = fc
      .record({ facts: fc.array(anyFact, { maxLength: 12 }), events: fc.array(anyRecord, { maxLength: 6 }) })
      .chain(({ facts, events }) =>
        fc.record({
          ...{ facts: fc.constant(facts), events: fc.constant(events), manifests: anyManifests },
          told: some(facts).chain((again) => shuffled([...facts, ...again])),
          met: some(events).chain((again) => shuffled([...events, ...again])),
        }),
      )
    fc.assert(
      fc.property(case_, ({ facts, events, told, met, manifests }) => {
        const graph = reconstructFlow({ flowId: FLOW_ID, facts, events, manifests })
        expect(reconstructFlow({ flowId: FLOW_ID, facts: told, events: met, manifests })).toEqual(graph)
        const known = new Set([...graph.events.map((event) => event.id), ...graph.handlings.map((one) => one.key)])
        expect(graph.edges.every((edge) => known.has(edge.from) && known.has(edge.to))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('never fails for want of facts, and never claims to be complete without them', () => {
    const case_ = story.chain((one) =>
      fc.record({
        one: fc.constant(one),
        facts: some(one.facts),
        events: some(one.records),
        manifests: some(one.manifests),
      }),
    )
    fc.assert(
      fc.property(case_, ({ one, facts, events, manifests }) => {
        const graph = reconstructFlow({ flowId: one.flowId, facts, events, manifests })
        const known = new Set([
          ...graph.events.map((event) => event.id),
          ...graph.handlings.map((handling) => handling.key),
        ])
        expect(graph.edges.every((edge) => known.has(edge.from) && known.has(edge.to))).toBe(true)
        if (facts.length === 0 || manifests.length === 0) expect(graph.completeness.complete).toBe(false)
      }),
    )
  })

  it('agrees with the short way of telling that a flow has ended', () => {
    const case_ = story.chain((one) =>
      fc.record({ one: fc.constant(one), facts: some(one.facts), manifests: some(one.manifests) }),
    )
    const told = { plain: 0 }
    fc.assert(
      fc.property(case_, ({ one: { flowId }, facts, manifests }) => {
        if (!hasPlainlyEnded(facts, new Subscriptions(manifests))) return
        told.plain++
        expect(reconstructFlow({ flowId, facts, manifests }).status).toBe('completed')
      }),
      { numRuns: 1_000 },
    )
    expect(told.plain).toBeGreaterThan(10)
    for (const one of [stories.linear(), stories.credit()]) {
      expect(hasPlainlyEnded(one.facts, new Subscriptions(one.manifests))).toBe(true)
    }
  })
})
