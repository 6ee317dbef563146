/** Writes down, in order, everything that a memory broker appends and commits: what the judge judges, and what the trace shows. */
import { hash } from 'node:crypto'
import { AGENTS_TOPIC } from '../../../contracts/contract.ts'
import { clusterOf, type MemoryBroker } from '../../adapters/memory/broker.ts'
import type { PastCommit, PastRecord } from '../invariants/history.ts'
import type { Trace } from './trace.ts'

/** Who hears of what is written. */
export interface LogListeners {
  readonly onActivity: () => void
  readonly onDeadLetter: (agent: string) => void
}

const LETTERS = '.dead-letter'

/** One per run. */
export class WrittenLog {
  readonly records: PastRecord[] = []
  readonly commits: PastCommit[] = []
  #at = 0

  /** Numbers what happens; records and commits are among it. */
  readonly next = (): number => this.#at++

  constructor(broker: MemoryBroker, trace: Trace, { onActivity, onDeadLetter }: LogListeners) {
    clusterOf(broker).observers.add({
      topicChanged: () => undefined,
      appended: ({ topic, partition }, record) => {
        this.records.push({ ...record, topic, partition, at: this.next() })
        // Manifests name the machine and are written for ever: they are neither part of the trace nor a sign of work.
        if (topic === AGENTS_TOPIC) return
        onActivity()
        if (topic.endsWith(LETTERS) && record.value !== null) onDeadLetter(topic.slice(0, -LETTERS.length))
        const content = record.value === null ? '-' : hash('sha1', record.value, 'hex').slice(0, 10)
        trace.note(`+ ${topic}/${partition}@${record.offset} ${content}`)
      },
      committed: (group, { topic, partition }, { offset, metadata }) => {
        this.commits.push({ group, topic, partition, offset, metadata, at: this.next() })
        trace.note(`= ${group} ${topic}/${partition}@${offset} ${metadata}`)
      },
      trimmed: () => undefined,
    })
  }
}
