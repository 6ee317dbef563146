/** Rows reach the log in order; a bad one is reported with its place and harms no other. */
import { describe, expect, it } from 'vitest'
import { publishRows, type PublishRowsOptions, type RowsPublished } from '../../../../cli/publish/publish-rows.ts'
import type { InputRow } from '../../../../cli/publish/read-rows.ts'
import { idsFromColumn, idsFromContent } from '../../../../cli/publish/row-ids.ts'
import { createRowMapper } from '../../../../cli/publish/row-map.ts'
import { createContractSet, LabanError } from '../../../../contracts/index.ts'
import type { Publisher } from '../../../../runtime/internal.ts'

const contract = createContractSet({
  'shop.order-placed': {
    schema: { type: 'record', name: 'OrderPlaced', namespace: 'shop', fields: [{ name: 'amount', type: 'int' }] },
  },
}).get('shop.order-placed')

/** Acknowledges everything except amounts that break a rule, in the order it was asked. */
class RecordingPublisher implements Pick<Publisher, 'publish'> {
  readonly amounts: number[] = []
  readonly ids: string[] = []

  publish(topic: never, value: never, options?: { readonly id?: string }): ReturnType<Publisher['publish']> {
    const { amount } = value as { readonly amount: number }
    if (amount === 13) {
      return Promise.reject(
        new LabanError('LABAN_CONTRACT_RULE', { topic, rule: 'lucky', expression: 'event.amount != 13' }),
      )
    }
    if (amount === 99)
      return Promise.reject(new LabanError('LABAN_BROKER_REFUSED', { topic, operation: 'x', problem: 'y' }))
    this.amounts.push(amount)
    const eventId = options?.id ?? ''
    this.ids.push(eventId)
    return Promise.resolve({ topic, partition: 0, offset: this.amounts.length, eventId, flowId: eventId })
  }
}

async function* rowsOf(amounts: readonly string[]): AsyncGenerator<InputRow> {
  for (const [index, amount] of amounts.entries()) {
    await Promise.resolve()
    yield { line: index + 2, cells: { amount, id: amount } }
  }
}

interface Played extends RowsPublished {
  readonly publisher: RecordingPublisher
  readonly acknowledged: string[]
  readonly bad: string[]
}

async function play(amounts: readonly string[], options: Partial<PublishRowsOptions> = {}): Promise<Played> {
  const publisher = new RecordingPublisher()
  const acknowledged: string[] = []
  const bad: string[] = []
  const result = await publishRows({
    topic: contract.name,
    file: 'orders.csv',
    rows: rowsOf(amounts),
    mapper: createRowMapper(contract, { file: 'orders.csv', map: undefined, columns: ['amount', 'id'] }),
    ids: idsFromContent(contract.name, 'orders'),
    idColumn: undefined,
    publisher: publisher as unknown as Publisher,
    rate: undefined,
    onError: 'skip',
    signal: new AbortController().signal,
    onPublished: (eventId) => acknowledged.push(eventId),
    onBadRow: (error) => bad.push(error.message),
    ...options,
  })
  return { totals: result.totals, stoppedBy: result.stoppedBy, publisher, acknowledged, bad }
}

describe('publishRows', () => {
  it('publishes every row in file order and tells so in file order', async () => {
    const amounts = Array.from({ length: 5_000 }, (_, index) => String(index + 100))
    const { totals, publisher, acknowledged } = await play(amounts)
    expect(totals).toEqual({ published: 5_000, repeated: 0, failed: 0 })
    expect(publisher.amounts.map(String)).toEqual(amounts)
    expect(acknowledged).toEqual(publisher.ids)
  })

  it('skips bad rows: unconvertible ones and those that break a rule, each with its place', async () => {
    const { totals, publisher, bad } = await play(['1', 'x', '13', '4'])
    expect(totals).toEqual({ published: 2, repeated: 0, failed: 2 })
    expect(publisher.amounts).toEqual([1, 4])
    expect(bad[0]).toBe('orders.csv row 3, column amount, field amount: expected an integer of 32 bits, found "x"')
    expect(bad[1]).toContain('row 4')
    expect(bad[1]).toContain('lucky')
  })

  it('stops at the first bad row, after what is under way', async () => {
    const { totals, stoppedBy, publisher } = await play(['1', 'x', '3'], { onError: 'stop' })
    expect(totals).toEqual({ published: 1, repeated: 0, failed: 1 })
    expect(stoppedBy?.code).toBe('LABAN_PUBLISH_BAD_ROW')
    expect(publisher.amounts).toEqual([1])
  })

  it('counts a repeated id without publishing it again', async () => {
    const { totals } = await play(['1', '1', '2'], { ids: idsFromColumn(contract.name, 'id'), idColumn: 'id' })
    expect(totals).toEqual({ published: 2, repeated: 1, failed: 0 })
  })

  it('ends with an error that is no row’s fault', async () => {
    await expect(play(['1', '99', '3'])).rejects.toMatchObject({ code: 'LABAN_BROKER_REFUSED' })
  })

  it('keeps to the rate', async () => {
    const startedAtMs = Date.now()
    await play(['1', '2', '3', '4', '5'], { rate: 50 })
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(75)
  })

  it('stops reading when it is interrupted', async () => {
    const controller = new AbortController()
    const { totals } = await play(['1', '2', '3'], {
      signal: controller.signal,
      rate: 100,
      onPublished: () => controller.abort(),
    })
    expect(totals.published).toBeLessThan(3)
  })
})
