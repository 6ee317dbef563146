/**
 * Guard against kafkajs's answer to a fetch position that is not on the log (retention has passed it, or the log was cut): it
 * commits -1 or -2 for the group, which wipes the committed offset and its metadata. Here reading goes on at the start of the
 * log, nothing is committed, and whoever observes the cluster hears of it.
 */
import { OffsetManagerClass, type InternalCluster } from './kafkajs-internals.ts'

/** Called with the offset where reading goes on; names are those on the broker. */
export type PositionReset = (at: { topic: string; partition: number; offset: number }) => void

const observers = new WeakMap<InternalCluster, PositionReset>()
let installed = false

/** Observes the consumer that uses this cluster object. */
export function observePositionResets(cluster: InternalCluster, observer: PositionReset): void {
  observers.set(cluster, observer)
}

/** Installs the guard for all consumers of this process; calling it again changes nothing. */
export function installOffsetOutOfRangeGuard(): void {
  if (installed) return
  installed = true
  OffsetManagerClass.prototype.setDefaultOffset = async function ({ topic, partition }): Promise<void> {
    const offsets = await this.cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: true }])
    const start = Number(offsets[0]?.partitions[0]?.offset ?? 0)
    this.resolveOffset({ topic, partition, offset: String(start - 1) })
    observers.get(this.cluster)?.({ topic, partition, offset: start })
  }
}
