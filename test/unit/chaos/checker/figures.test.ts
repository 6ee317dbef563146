/** What is counted of a run: repeated work, and the time from a kill to the next sign of what it had interrupted. */
import { describe, expect, it } from 'vitest'
import { figuresOf } from '../../../chaos/checker/figures.ts'
import { goodHistory } from './good-history.ts'

const QUIET = { kills: [], outages: [] }

describe('figures', () => {
  it('tell events from repeated records', () => {
    const history = goodHistory()
    history.events.push(...history.events.slice(0, 2))
    expect(figuresOf(history, QUIET)).toMatchObject({ events: 15, repeatedRecords: 2 })
  })

  it('count calls, repetitions, and what took effect', () => {
    const history = goodHistory()
    const charge = history.calls.find(({ what }) => what === 'charge')
    if (charge !== undefined) history.calls.push({ ...charge, isApplied: false })
    const { begins, begun, steps } = figuresOf(history, QUIET)
    expect({ begins, begun }).toEqual({ begins: 3, begun: 3 })
    expect(Object.fromEntries(steps)).toEqual({
      model: { calls: 3, repeated: 0, applied: 3 },
      charge: { calls: 4, repeated: 1, applied: 3 },
    })
  })

  it('measure a takeover from the kill to the next call of another process', () => {
    const history = goodHistory()
    const model = history.calls.find(({ what }) => what === 'model')
    if (model === undefined) throw new Error('no call')
    const atMs = model.atMs + 10
    const calls = [...history.calls.filter((call) => call.eventId !== model.eventId), model]
    const takenOver = { ...model, pid: 8, atMs: atMs + 5_000 }
    const facts = history.facts.filter(({ handlingId }) => handlingId !== model.eventId)
    const spoilt = { ...history, facts, calls: [...calls, takenOver] }
    const kills = [{ pid: model.pid, atMs }]
    expect(figuresOf(spoilt, { kills, outages: [] }).takeoversMs).toEqual([5_000])
    const outages = [{ fromMs: atMs + 100, untilMs: atMs + 200 }]
    expect(figuresOf(spoilt, { kills, outages })).toMatchObject({ takeoversMs: [], hinderedTakeoversMs: [5_000] })
  })

  it('take no handling for interrupted that was through with before', () => {
    const history = goodHistory()
    const atMs = Math.max(...history.facts.map((fact) => fact.atMs)) + 1
    expect(figuresOf(history, { kills: [{ pid: 7, atMs }], outages: [] }).takeoversMs).toEqual([])
  })
})
