/** Turns the records of a handling into what its agent receives. A registry that is away is waited for: it is never a bad record. */
import { describeUnknown, isLabanError, LabanError } from '../../contracts/errors.ts'
import { delay } from '../ports/clock.ts'
import type { HandlingDeps } from './deps.ts'
import type { WorkPart } from '../admit/work-part.ts'
import type { Work } from './work.ts'

/** The value of the only part, or for a join one value per topic. */
export type HandledValue = { readonly event: unknown; readonly byTopic: ReadonlyMap<string, unknown> }

const FIRST_RETRY_MS = 200
const LONGEST_RETRY_MS = 5_000

/** @throws terminal LabanErrors for records that cannot be read or break a rule; LABAN_SHUTDOWN */
export async function readValues(deps: HandlingDeps, work: Work): Promise<HandledValue> {
  const byTopic = new Map<string, unknown>()
  for (const part of work.parts) byTopic.set(part.topic, await readValue(deps, part))
  return { event: work.isJoin ? Object.fromEntries(byTopic) : byTopic.get(work.task.topic), byTopic }
}

async function readValue(deps: HandlingDeps, part: WorkPart): Promise<unknown> {
  for (;;) {
    const decoded = deps.codec.decode(part.topic, part.value, part)
    if ('value' in decoded) return decoded.value
    await loadSchema(deps, decoded.loadSchemaId)
  }
}

async function loadSchema(deps: HandlingDeps, schemaId: number): Promise<void> {
  for (let waitMs = FIRST_RETRY_MS, isAway = false; ; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
    if (deps.signal.aborted) throw new LabanError('LABAN_SHUTDOWN')
    try {
      await deps.codec.load(schemaId)
      if (isAway) deps.onRegistry?.(true)
      return
    } catch (error) {
      if (!isLabanError(error) || error.errorClass !== 'retry') throw error
      if (!isAway) deps.onRegistry?.(false)
      isAway = true
      deps.log.warn('schema not loaded; its records wait', { schemaId, problem: describeUnknown(error) })
      await delay(deps.clock, waitMs, deps.signal)
    }
  }
}
