/** Reads from a recorded output what its fact says about it. */
import { hash } from 'node:crypto'
import type { FactOutput } from '../../contracts/fact.ts'
import { headerText } from '../../contracts/envelope.ts'
import type { StoredRecord } from '../../contracts/record-format.ts'
import { keyText } from '../admit/work-part.ts'

/** Event id, content hash and key of an output that another attempt made. */
export function outputIdentity(record: StoredRecord, flowId: string): Pick<FactOutput, 'eventId' | 'hash' | 'key'> {
  return {
    eventId: headerText(record.headers, 'ce_id') ?? '',
    hash: record.value === null ? '' : hash('sha256', record.value, 'hex').slice(0, 16),
    key: keyText(record.key, flowId),
  }
}
