/** Joins: the first event of a topic wins, whoever sees the join complete sees the same members. */
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { joinHandlingId } from '../../contracts/ids.ts'
import type { JoinMember } from '../../runtime/ports/claim-store.ts'
import { uniqueName } from '../harness/unique-name.ts'
import { waitFor } from '../harness/wait.ts'
import { ME, one, POSITION, type StoreBench } from './store-bench.ts'

const TOPICS = ['credit.score-calculated', 'credit.income-verified'] as const
const [SCORE, INCOME] = TOPICS
const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

function member(topic: string, record: Buffer = Buffer.from(topic)): JoinMember {
  return { eventId: randomUUID(), topic, partition: 5, offset: 2 ** 41 + 1, record }
}

export function describeJoins(bench: StoreBench): void {
  describe('joins', () => {
    it('are complete with the last topic, and hold all members as they were', async () => {
      const claims = bench.claims()
      const flowId = randomUUID()
      const [score, income] = [member(SCORE, EVERY_BYTE), member(INCOME, Buffer.alloc(0))]
      const first = await one(claims.join([{ flowId, topics: TOPICS, member: income }]))
      expect(first).toEqual({ result: 'recorded', have: [INCOME] })
      const last = await one(claims.join([{ flowId, topics: TOPICS, member: score }]))
      expect(last).toEqual({ result: 'recorded', have: TOPICS, members: [score, income] })
    })

    it('answer a redelivered member like the first time, complete or not', async () => {
      const claims = bench.claims()
      const flowId = randomUUID()
      const [score, income] = [member(SCORE), member(INCOME)]
      const request = { flowId, topics: TOPICS, member: score }
      await claims.join([request])
      expect(await one(claims.join([request]))).toEqual({ result: 'already', have: [SCORE] })
      await claims.join([{ flowId, topics: TOPICS, member: income }])
      expect(await one(claims.join([request]))).toEqual({ result: 'already', have: TOPICS, members: [score, income] })
    })

    it('never let a later event of a topic overwrite the first', async () => {
      const claims = bench.claims()
      const flowId = randomUUID()
      const [score, income] = [member(SCORE), member(INCOME)]
      await claims.join([{ flowId, topics: TOPICS, member: score }])
      const late = await one(claims.join([{ flowId, topics: TOPICS, member: member(SCORE, Buffer.from('late')) }]))
      expect(late).toEqual({ result: 'late', have: [SCORE] })
      const complete = await one(claims.join([{ flowId, topics: TOPICS, member: income }]))
      expect(complete.members).toEqual([score, income])
    })

    it('belong to one flow of one agent', async () => {
      const [claims, others] = [bench.claims(), bench.claims()]
      const flowId = randomUUID()
      await claims.join([{ flowId, topics: TOPICS, member: member(SCORE) }])
      const request = { topics: TOPICS, member: member(INCOME) }
      expect((await one(others.join([{ ...request, flowId }]))).have).toEqual([INCOME])
      expect((await one(claims.join([{ ...request, flowId: randomUUID() }]))).have).toEqual([INCOME])
    })

    it('complete for exactly one of two members that arrive at once', async () => {
      const [mine, theirs] = bench.bothClaims()
      for (let round = 0; round < 20; round++) {
        const flowId = randomUUID()
        const answers = await Promise.all([
          one(mine.join([{ flowId, topics: TOPICS, member: member(SCORE) }])),
          one(theirs.join([{ flowId, topics: TOPICS, member: member(INCOME) }])),
        ])
        expect(answers.filter((answer) => answer.members !== undefined)).toHaveLength(1)
      }
    })

    it('of different topics go into one batch, answers in order', async () => {
      const claims = bench.claims()
      const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()]
      const answers = await claims.join([
        { flowId: a, topics: TOPICS, member: member(SCORE) },
        { flowId: b, topics: ['x.one', 'x.two'], member: member('x.two') },
        { flowId: a, topics: TOPICS, member: member(INCOME) },
        { flowId: c, topics: ['x.one', 'x.two'], member: member('x.one') },
      ])
      expect(answers.map((answer) => answer.have)).toEqual([[SCORE], ['x.two'], TOPICS, ['x.one']])
    })

    it('keep only ids when their handling is done', async () => {
      const agent = uniqueName('test.agent')
      const claims = bench.mine.claimsOf(agent, { dedupMs: 600_000, joinTtlMs: 600_000 })
      const flowId = randomUUID()
      const [score, income] = [member(SCORE), member(INCOME)]
      for (const each of [score, income]) await claims.join([{ flowId, topics: TOPICS, member: each }])
      const ref = { flowId, handlingId: joinHandlingId(agent, flowId) }
      expect((await one(claims.finish([ref]))).accepted).toBe(false)
      const again = { flowId, topics: TOPICS, member: score }
      expect((await one(claims.join([again]))).members).toEqual([score, income])

      const outputs = Buffer.from('outputs')
      await claims.compute([{ ...ref, owner: ME, attempt: 1, from: 'absent', position: POSITION, outputs }])
      expect((await one(claims.finish([ref]))).accepted).toBe(true)
      expect(await one(claims.join([again]))).toEqual({ result: 'already', have: TOPICS })
      const late = { flowId, topics: TOPICS, member: member(SCORE) }
      expect(await one(claims.join([late]))).toEqual({ result: 'late', have: TOPICS })
    })

    it('end with joinTtlMs after their last member', async () => {
      const claims = bench.claims({ joinTtlMs: 80 })
      const flowId = randomUUID()
      const score = { flowId, topics: TOPICS, member: member(SCORE) }
      await claims.join([score])
      await waitFor(async () => (await one(claims.join([score]))).result === 'recorded', { what: 'the join to end' })
    })
  })
}
