/** Names on the broker: the namespace is put before topics and groups on the way out and taken off on the way in, nowhere else. */
import { physicalTopic } from '../../../contracts/contract.ts'

/** Maps names of the port to names on the broker and back. */
export interface PhysicalNames {
  topic(name: string): string
  group(name: string): string
  /** Name without namespace, or undefined for a topic of another namespace. */
  logicalTopic(physical: string): string | undefined
}

/** The names of one namespace; an empty namespace adds nothing. */
export function physicalNames(namespace: string): PhysicalNames {
  const prefix = physicalTopic('', namespace)
  return {
    topic: (name) => physicalTopic(name, namespace),
    group: (name) => physicalTopic(name, namespace),
    logicalTopic: (physical) => (physical.startsWith(prefix) ? physical.slice(prefix.length) : undefined),
  }
}
