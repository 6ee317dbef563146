/** One event with its value, read now: from the log, or from the archive when the log has forgotten it. */
import { LabanError, readEvent } from '../../runtime/internal.ts'
import type { BodyView, EventBody } from '../api.ts'
import type { ConsoleContext } from './context.ts'
import { maskedBody } from './masked.ts'
import { problemOf } from './problem.ts'

/** A value that cannot be decoded is shown by its first bytes. */
const SHOWN_BYTES = 512

/** The event at a place. @throws LABAN_RECORD_GONE, LABAN_CONTRACT_UNKNOWN_TOPIC */
export async function viewEvent(
  { stack, codec, source: { archive } }: ConsoleContext,
  place: { readonly topic: string; readonly partition: string; readonly offset: string },
): Promise<EventBody> {
  const contract = stack.contracts.get(place.topic)
  const topic = contract.name
  const partition = wholeNumber(place.partition)
  const offset = wholeNumber(place.offset)
  const source = { broker: stack.broker, codec, ...(archive === undefined ? {} : { archive }) }
  const record = await readEvent(source, { topic, partition, offset })
  const { envelope, from, key, recordedAtMs, sizeBytes, headers, body } = record
  return {
    ...{
      eventId: envelope.id,
      flowId: envelope.flowId,
      topic,
      partition,
      offset,
      from,
      key,
      recordedAtMs,
      sizeBytes,
      headers,
    },
    body: 'value' in body ? maskedBody(body.value, contract) : unreadable(body.error, body.bytes),
  }
}

/** Why a value cannot be shown, and its first bytes. */
export function unreadable(error: unknown, bytes: Buffer | null): BodyView {
  return {
    problem: problemOf(error).problem,
    bytes: (bytes ?? Buffer.alloc(0)).subarray(0, SHOWN_BYTES).toString('base64'),
  }
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new LabanError('LABAN_USAGE', { problem: `${text} is not a whole number` })
}
