/** Publishes one file: opens input, map and publisher, shows progress, and says at the end what became of every row. */
import { basename } from 'node:path'
import type { TopicContract } from '../../contracts/index.ts'
import { openTracing, publisherOn, systemClock, type LabanError, type Publisher } from '../../runtime/internal.ts'
import type { CommandContext } from '../command.ts'
import { onInterrupt } from '../interrupt.ts'
import type { TargetKind } from '../../runtime/internal.ts'
import { commandLog, openTarget, type OpenTarget } from '../target.ts'
import { openIdsOut } from './ids-out.ts'
import { showProgress } from './progress.ts'
import { publishRows, type RowsPublished } from './publish-rows.ts'
import { openSource, readRows, unusable, type InputRow, type RowSource } from './read-rows.ts'
import { idsFromColumn, idsFromContent, type RowIds } from './row-ids.ts'
import { createRowMapper, readRowMap, type RowMapper } from './row-map.ts'

/** The command line of `laban publish`. */
export interface PublishFileOptions {
  readonly topic: string
  readonly file: string
  readonly format: 'csv' | 'jsonl' | undefined
  readonly map: string | undefined
  readonly id: string | undefined
  readonly batch: string | undefined
  readonly rate: number | undefined
  readonly onError: 'stop' | 'skip'
  readonly idsOut: string | undefined
  readonly on: TargetKind | undefined
  readonly json: boolean
}

/** Name of the publisher in events and facts. */
const SOURCE = 'laban.publish'
/** Bad rows that are printed in full; the rest is counted. */
const SHOWN_BAD_ROWS = 20
const BAD_ROW_EXIT = 65
const INTERRUPTED_EXIT = 130

/** Returns the exit status. @throws LABAN_PUBLISH_INPUT, LABAN_PUBLISH_BAD_ROW with `onError: 'stop'`, errors of the servers */
export async function publishFile(options: PublishFileOptions, context: CommandContext): Promise<number> {
  const log = commandLog()
  const target = await openTarget(context, { on: options.on, purpose: 'publish', log })
  try {
    const input = await openInput(options, target.stack.contracts.get(options.topic))
    const { unused } = input.mapper
    if (unused.length > 0) context.output.note(`columns that no field takes: ${unused.join(', ')}`)
    const tracing = await openTracing(target.stack.config, { serviceName: SOURCE, log })
    const publisher = await publisherOn(target.stack, { source: SOURCE, tracer: tracing.tracer })
    try {
      return await publishInput(options, context, target, { ...input, publisher })
    } finally {
      await publisher.close()
      await tracing.shutdown()
    }
  } finally {
    await target.stack.close()
  }
}

interface Input {
  readonly source: RowSource
  readonly rows: AsyncIterable<InputRow>
  readonly mapper: RowMapper
  readonly ids: RowIds
}

async function openInput(options: PublishFileOptions, contract: TopicContract): Promise<Input> {
  const { topic, file, format, map, id, batch } = options
  const rowMap = map === undefined ? undefined : await readRowMap(map)
  const source = await openSource(file, format)
  const { columns, rows } = await readRows(source)
  if (id !== undefined && columns !== undefined && !columns.includes(id)) {
    throw unusable(file, `it has no column ${id}, which --id names`)
  }
  const mapper = createRowMapper(contract, { file, map: rowMap, columns })
  const ids = id === undefined ? idsFromContent(topic, batch ?? basename(file)) : idsFromColumn(topic, id)
  return { source, rows, mapper, ids }
}

async function publishInput(
  options: PublishFileOptions,
  { output }: CommandContext,
  target: OpenTarget,
  { source, rows, mapper, ids, publisher }: Input & { readonly publisher: Publisher },
): Promise<number> {
  const { topic, file, rate, onError } = options
  const startedAtMs = systemClock.nowMs()
  const idsOut = openIdsOut(options.idsOut)
  const progress = showProgress(output, source.totalBytes)
  using interrupt = onInterrupt()
  const badRows: LabanError[] = []
  let result: RowsPublished
  try {
    result = await publishRows({
      ...{ topic, file, rows, mapper, ids, publisher, rate, onError },
      idColumn: options.id,
      signal: interrupt.signal,
      onPublished: (eventId, totals) => {
        idsOut.write(eventId)
        progress.update(totals, source.readBytes())
      },
      onBadRow: (error) => void (badRows.length < SHOWN_BAD_ROWS && badRows.push(error)),
    })
  } finally {
    progress.stop()
    await idsOut.close()
  }
  const { totals, stoppedBy } = result
  const durationMs = systemClock.nowMs() - startedAtMs
  const perSecond = Math.round((totals.published / Math.max(1, durationMs)) * 1_000)
  if (onError === 'skip') for (const error of badRows) output.note(`${error.code}: ${error.message}`)
  if (options.json) output.json({ topic, target: target.kind, ...totals, durationMs, perSecond })
  else {
    const repeated = totals.repeated === 0 ? '' : `, ${totals.repeated} repeated`
    output.line(
      `published ${totals.published} to ${topic}${repeated}, ${totals.failed} failed, ${perSecond} events/s, to ${target.description}`,
    )
  }
  if (stoppedBy !== undefined) throw stoppedBy
  if (interrupt.signal.aborted) {
    output.note('interrupted: publish the file again for the rest; what is published does not change')
    return INTERRUPTED_EXIT
  }
  return totals.failed > 0 ? BAD_ROW_EXIT : 0
}
