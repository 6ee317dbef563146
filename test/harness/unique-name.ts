/** Names for topics, groups and namespaces of one test: tests share servers, so no name is used twice. */
import { randomBytes } from 'node:crypto'

/** `<prefix>-<12 hex digits>`. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`
}
