/**
 * A ledger in the memory of an embedded run, so that what is tried there is read as it will be read later. Its database takes seconds to
 * open: flows come from the log until it has caught up, and for good when it cannot be had. A run never fails because of it.
 */
import { errorFields, logFlowSource, openMemoryDatabase, type FlowSource, type Stack } from '../../runtime/internal.ts'
import { ledgerFlowSource } from './ledger-flow-source.ts'
import { Ledger } from './ledger.ts'
import { identityOf, readingSource } from './open-ledger.ts'
import { ledgerTables } from './tables.ts'

const SCHEMA = 'laban'

/** An embedded ledger; `source` gives flows at any time. */
export interface EmbeddedLedger {
  readonly source: FlowSource
  /** Resolves when flows are read from the ledger, or it was closed before; rejects when they never will be. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

/** Begins to open it, and returns at once. */
export function openEmbeddedLedger(stack: Stack, { version }: { readonly version: string }): EmbeddedLedger {
  const source = readingSource(stack)
  const fromLog = logFlowSource(source)
  let current = fromLog
  let isClosed = false
  let running: Ledger | undefined
  const opened: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (let last = opened.pop(); last !== undefined; last = opened.pop()) await last()
  }

  const open = async (): Promise<void> => {
    const database = await openMemoryDatabase()
    opened.push(() => database.close())
    const tables = ledgerTables(SCHEMA)
    const identity = await identityOf(stack, version)
    const { broker, clock, log, config } = stack
    const ledger = new Ledger({
      ...{ broker, database, tables, clock, codec: source.codec, retentionMs: -1 },
      log: log.child({ component: 'ledger' }),
      ...(identity === undefined ? {} : { identity }),
      maxBatchFacts: config.ledger.maxBatchFacts,
      quietMs: config.ledger.quietMs,
      onFatal: (error) => {
        log.error('the ledger of this run has ended; flows are read from the log', errorFields(error))
        current = fromLog
      },
    })
    if (isClosed) return
    opened.push(() => ledger.stop())
    await ledger.start()
    running = ledger
    await ledger.untilCaughtUp()
    if (!isClosed) current = ledgerFlowSource({ database, tables, source })
  }

  const opening = open()
  return {
    source: switching(() => current),
    ready: opening,
    async close() {
      isClosed = true
      current = fromLog
      // Nobody waits until it has caught up; what is half open cannot be closed.
      await running?.stop()
      await opening.catch(() => undefined)
      await close()
    },
  }
}

function switching(current: () => FlowSource): FlowSource {
  return {
    get kind() {
      return current().kind
    },
    flow: (flowId, options) => current().flow(flowId, options),
    search: (filter) => current().search(filter),
    flowsOfEvent: (eventId) => current().flowsOfEvent(eventId),
    unfinished: (options) => current().unfinished(options),
    manifests: () => current().manifests(),
  }
}
