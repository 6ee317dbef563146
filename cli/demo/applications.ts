/** The applications of the demonstration: a small made-up file, read like any other file that is published. */
import type { Publisher, Stack } from '../../runtime/internal.ts'
import { openSource, readRows } from '../publish/read-rows.ts'
import { idsFromColumn } from '../publish/row-ids.ts'
import { createRowMapper } from '../publish/row-map.ts'

export const DEMO_TOPIC = 'credit.application-received'
const ID_COLUMN = 'applicationId'

/** An application on its way. */
export interface DemoApplication {
  readonly flowId: string
  readonly value: unknown
}

/** Reads the sample. @throws LABAN_PUBLISH_INPUT, LABAN_PUBLISH_BAD_ROW */
export async function readApplications(stack: Stack, file: string): Promise<DemoApplication[]> {
  const { LabanError } = await import('../../runtime/internal.ts')
  const { columns, rows } = await readRows(await openSource(file, 'csv'))
  const mapper = createRowMapper(stack.contracts.get(DEMO_TOPIC), { file, map: undefined, columns })
  const ids = idsFromColumn(DEMO_TOPIC, ID_COLUMN)
  const applications: DemoApplication[] = []
  for await (const row of rows) {
    const mapped = mapper.map(row)
    if ('bad' in mapped) {
      const { column, expected } = mapped.bad
      throw new LabanError('LABAN_PUBLISH_BAD_ROW', { file, row: row.line, column, problem: `expected ${expected}` })
    }
    const id = ids.next(row.line, row.cells, mapped.value)
    if ('eventId' in id) applications.push({ flowId: id.eventId, value: mapped.value })
  }
  return applications
}

/** Publishes one after the other, a little apart, so that a person can watch. */
export async function publishApplications(
  publisher: Publisher,
  applications: readonly DemoApplication[],
  pause: () => Promise<void>,
): Promise<void> {
  for (const { flowId, value } of applications) {
    await publisher.publishAll([{ eventId: flowId, topic: DEMO_TOPIC, value }])
    await pause()
  }
}
