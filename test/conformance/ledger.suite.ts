/** What a ledger promises, on any broker and database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AGENTS_TOPIC, FACTS_TOPIC } from '../../contracts/contract.ts'
import { deriveId } from '../../contracts/ids.ts'
import type { Broker } from '../../runtime/ports/broker.ts'
import type { SqlDatabase } from '../../runtime/ports/sql.ts'
import type { FlowSource } from '../../runtime/readback/flow-source.ts'
import type { FlowGraph } from '../../tracing/flow-graph.ts'
import { DAY_MS, Days } from '../../services/ledger/days.ts'
import { dropTables, migrate, type Ledger } from '../../services/ledger/index.ts'
import { forgetBefore } from '../../services/ledger/retention.ts'
import { idsOf, ledgerScene, type LedgerScene } from '../harness/ledger-scene.ts'
import { uniqueName } from '../harness/unique-name.ts'

/** Servers of one suite. */
export interface LedgerUnderTest {
  readonly broker: Broker
  readonly database: SqlDatabase
}

const byFlow = (a: FlowGraph, b: FlowGraph): number => (a.flowId < b.flowId ? -1 : 1)

/** Runs the suite. */
export function describeLedger(name: string, open: () => Promise<LedgerUnderTest>): void {
  describe(`the ledger on ${name}`, () => {
    let scene: LedgerScene
    /** All that were started. */
    const ledgers: Ledger[] = []

    beforeAll(async () => {
      const { broker, database } = await open()
      scene = await ledgerScene(broker, database, uniqueName('ledger').replace('-', '_'))
      await scene.announce(scene.manifests)
      ledgers.push(await scene.start())
    }, 60_000)

    afterAll(async () => {
      await dropTables(scene.database, scene.tables)
      await scene.close()
    }, 60_000)

    it('gives the same graphs as the log', async () => {
      const flows = scene.flows(60, 'graphs')
      await scene.append(flows.flat())
      await scene.untilCaughtUp()
      for (const id of idsOf(flows).slice(0, 20)) expect(await scene.ledger.flow(id)).toEqual(await scene.log.flow(id))
    })

    it('finds the same flows as the log, in the same order', async () => {
      const flows = scene.flows(30, 'search')
      // The last facts of every third flow are missing: it stays open.
      await scene.append(flows.flatMap((facts, index) => (index % 3 === 0 ? facts.slice(0, 4) : facts)))
      await scene.untilCaughtUp()
      const [id = ''] = idsOf(flows)
      for (const filter of [
        {},
        { limit: 5 },
        { status: 'completed' },
        { status: 'pending' },
        { status: 'processing' },
        { status: 'waiting' },
        { agent: 'credit.final-approval', limit: 7 },
        { agent: 'nobody' },
        { key: id.slice(0, 6) },
        { key: id },
        { key: 'no such key' },
        { errorCode: 'LABAN_HANDLER_FAILED' },
        { sinceMs: 0 },
        { untilMs: 1_000 },
        { sinceMs: flows[3]?.[0]?.startedAtMs ?? 0, untilMs: Date.now() },
      ] as const) {
        expect(await scene.ledger.search(filter), JSON.stringify(filter)).toEqual(await scene.log.search(filter))
      }
    })

    it('finds the same unfinished flows as the log, whether or not it has read them', async () => {
      const beforeMs = Date.now() + DAY_MS
      const told = async (source: FlowSource): Promise<unknown> => {
        const found = await source.unfinished({ beforeMs, mostGraphs: 1_000 })
        const flowIds = found.kinds.flatMap(({ oldest }) => oldest.map(({ flowId }) => flowId))
        const kinds = found.kinds.map((kind) => JSON.stringify({ ...kind, oldest: kind.oldest.toSorted(byFlow) }))
        const { unreadable, unseen } = found
        return { kinds: kinds.sort(), unreadable, unseen, among: [...(await found.among(flowIds))].sort() }
      }
      const flows = scene.flows(40, 'unfinished')
      const begun = flows.map((facts, index) => facts.slice(0, 2 + (index % 7)))
      await scene.append(begun.slice(1).flat())
      await scene.untilCaughtUp()
      expect(await told(scene.ledger)).toEqual(await told(scene.log))
      // What the ledger has not read yet is read from the log: a flow that has begun, and flows that have ended.
      await scene.pause()
      await scene.append([...(begun[0] ?? []), ...flows.slice(1, 9).flatMap((facts) => facts.slice(2))])
      const anew = await told(scene.ledger)
      expect(anew).toEqual(await told(scene.log))
      expect(JSON.stringify(anew)).toContain(idsOf(begun)[0])
      ledgers.push(await scene.start())
    })

    it('finds the flow of every event', async () => {
      const flows = scene.flows(3, 'events')
      await scene.append(flows.flat())
      await scene.untilCaughtUp()
      for (const facts of flows) {
        const ids = new Set(facts.flatMap(({ outputs }) => outputs.map(({ eventId }) => eventId)))
        expect(ids.size).toBeGreaterThan(4)
        for (const id of ids) expect(await scene.ledger.flowsOfEvent(id)).toEqual(idsOf([facts]))
      }
      expect(await scene.ledger.flowsOfEvent(deriveId('nobody'))).toEqual([])
    })

    it('knows the newest manifest of every instance', async () => {
      expect(await scene.ledger.manifests()).toEqual(await scene.log.manifests())
    })

    it('announces itself and counts what it does; no flow waits for it', async () => {
      const flows = scene.flows(2, 'announced')
      await scene.append(flows.flatMap((facts, index) => (index === 0 ? facts.slice(0, 4) : facts)))
      await scene.untilCaughtUp()
      const before = await Promise.all(idsOf(flows).map((id) => scene.ledger.flow(id)))
      const instance = uniqueName('instance')
      const ledger = await scene.start({ identity: { instance, version: '1.2.3', codec: scene.codec } })
      const own = async () => (await scene.ledger.manifests()).find((manifest) => manifest.instance === instance)
      expect(await own()).toMatchObject({
        ...{ agent: 'laban.ledger', version: '1.2.3', state: 'running', problems: {}, always: [] },
        consumes: [FACTS_TOPIC, AGENTS_TOPIC],
      })
      expect(await Promise.all(idsOf(flows).map((id) => scene.ledger.flow(id)))).toEqual(before)

      ledgers.push(ledger)
      // They share the partitions, so they are counted together.
      const stored = async () => {
        const all = await Promise.all(ledgers.map((each) => each.metrics()))
        return all.reduce((sum, metrics) => sum + metrics.sumOf('laban.ledger.facts'), 0)
      }
      const more = scene.flows(20, 'counted').flat()
      const storedBefore = await stored()
      await scene.append(more)
      await scene.untilCaughtUp()
      expect((await stored()) - storedBefore).toBe(more.length)
      const metrics = await ledger.metrics()
      expect(metrics.points.get('laban.agent.info')).toEqual([
        { labels: { agent: 'laban.ledger', version: '1.2.3' }, value: 1 },
      ])
      const names = ['laban.ledger.lag', 'laban.ledger.lag_age', 'laban.ledger.lost', 'laban.ledger.retries'] as const
      for (const name of names) expect(metrics.sumOf(name), name).toBe(0)
      const counted = (await Promise.all(ledgers.map((each) => each.metrics()))).flatMap(
        (each) => each.histograms.get('laban.ledger.batch_duration') ?? [],
      )
      expect(counted.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0)
      await ledger.stop()
      expect(await own()).toMatchObject({ state: 'stopped' })
    })

    it('says that a flow is not there', async () => {
      const flowId = deriveId('no such flow')
      await expect(scene.ledger.flow(flowId)).rejects.toMatchObject({ code: 'LABAN_FLOW_NOT_FOUND' })
    })

    it('can be made by several at once', async () => {
      const { database, tables } = scene
      await Promise.all([1, 2, 3].map(() => migrate(database, tables)))
    })

    it('forgets whole days that are over, and goes on', async () => {
      const { database, tables } = scene
      const days = new Days(database, tables)
      const before = await scene.contents()
      expect(await forgetBefore(Date.now() - DAY_MS, { database, tables, days })).toEqual({ days: 0, flows: 0 })
      expect(await scene.contents()).toEqual(before)

      const forgotten = await forgetBefore(Date.now() + 2 * DAY_MS, { database, tables, days })
      expect(forgotten).toEqual({ days: expect.any(Number) as number, flows: before.flows.length })
      expect(forgotten.days).toBeGreaterThan(0)
      expect(await scene.contents()).toEqual({ facts: [], events: [], flows: [] })

      const flows = scene.flows(3, 'afterwards')
      await scene.append(flows.flat())
      await scene.untilCaughtUp()
      const { flows: found } = await scene.ledger.search({})
      expect(found.map(({ flowId }) => flowId).sort()).toEqual(idsOf(flows).toSorted())
    })
  })
}
