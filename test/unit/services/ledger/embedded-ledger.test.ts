/** The ledger of an embedded run: read from the log until it has caught up, then from it, with the same answers. */
import { describe, expect, it } from 'vitest'
import { readingSource } from '../../../../cli/reading-source.ts'
import { logFlowSource } from '../../../../runtime/readback/flow-source.ts'
import { openEmbeddedLedger } from '../../../../services/ledger/index.ts'
import { runCredit } from '../../../harness/credit-facts.ts'

describe('the ledger of an embedded run', { timeout: 60_000 }, () => {
  it('answers from the log at once, from the ledger when that has caught up, and from the log when it is closed', async () => {
    const { stack } = await runCredit()
    const log = logFlowSource(readingSource(stack))
    const expected = await log.search({})
    expect(expected.total).toBeGreaterThan(10)
    const { source, ready, close } = openEmbeddedLedger(stack, { version: '1.2.3' })
    expect(source.kind).toBe('log')
    expect(await source.search({})).toEqual(expected)
    await ready
    expect(source.kind).toBe('ledger')
    expect(await source.search({})).toEqual(expected)
    const [{ flowId } = { flowId: '' }] = expected.flows
    expect(await source.flow(flowId)).toEqual(await log.flow(flowId))
    expect((await source.manifests()).map(({ agent }) => agent)).toContain('laban.ledger')
    await close()
    expect(source.kind).toBe('log')
    expect(await source.search({})).toEqual(expected)
    await stack.close()
  })

  it('can be closed while it opens', async () => {
    const { stack } = await runCredit()
    const ledger = openEmbeddedLedger(stack, { version: '1.2.3' })
    await ledger.close()
    await ledger.ready
    expect(ledger.source.kind).toBe('log')
    await stack.close()
  })
})
