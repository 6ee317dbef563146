/** Until when dead letters are kept: as the broker has it, never where it keeps them for ever. */
import { expect, it } from 'vitest'
import { expiryOf, isGoingSoon, readRetentions } from '../../../../runtime/readback/dead-letter-expiry.ts'
import { createMemoryBroker } from '../../../../runtime/adapters/memory/broker.ts'
import type { DeadLetter } from '../../../../runtime/internal.ts'
import { systemClock } from '../../../../runtime/ports/clock.ts'

const DAY_MS = 86_400_000
const letterOf = (agent: string): DeadLetter => ({ agent, failedAtMs: 1_000 }) as DeadLetter

it('reads the retention of each agent from its topic, and adds it to the time of failure', async () => {
  const broker = createMemoryBroker({ clock: systemClock })
  await broker.connect()
  const spec = { partitions: 1, replication: 1 }
  await broker.admin.createTopics([
    { ...spec, topic: 'a.short.dead-letter', config: { 'retention.ms': String(30 * DAY_MS) } },
    { ...spec, topic: 'a.long.dead-letter', config: { 'retention.ms': '-1' } },
  ])
  const letters = ['a.short', 'a.long', 'a.gone'].map(letterOf)
  const retentions = await readRetentions({ broker }, letters)
  expect(letters.map((letter) => expiryOf(letter, retentions))).toEqual([1_000 + 30 * DAY_MS, undefined, undefined])
})

it('warns three days before', () => {
  expect(isGoingSoon(10 * DAY_MS, 7 * DAY_MS)).toBe(false)
  expect(isGoingSoon(10 * DAY_MS, 7 * DAY_MS + 1)).toBe(true)
})
