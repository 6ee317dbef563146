/** The ledger within `laban dev --ledger`: a help that never stops the run, and says once when it is there or why it is not. */
import type { Stack } from '../../runtime/internal.ts'
import type { EmbeddedLedger } from '../../services/ledger/index.ts'
import type { Output } from '../output.ts'

/** Begins to open it; the run does not wait. */
export async function openDevLedger(stack: Stack, output: Output): Promise<EmbeddedLedger> {
  const { describeUnknown } = await import('../../runtime/internal.ts')
  const { openEmbeddedLedger } = await import('../../services/ledger/index.ts')
  const { readVersion } = await import('../version.ts')
  const ledger = openEmbeddedLedger(stack, { version: readVersion() })
  ledger.ready.then(
    () => {
      if (ledger.source.kind === 'ledger') output.note('the console reads flows from the ledger now')
    },
    (error: unknown) => output.note(`there is no ledger, flows are read from the log: ${describeUnknown(error)}`),
  )
  return ledger
}
