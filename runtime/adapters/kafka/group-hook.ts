/**
 * Hears of every join of a consumer, before and after, and holds the fetch loop until the owner is ready. kafkajs's own events
 * do not suffice: they are not awaited, leave the generation out, and `REBALANCING` is missing on some of the paths to a rejoin.
 */
import { LabanError } from '../../../contracts/errors.ts'
import { ConsumerGroupClass, type ConsumerGroup, type InternalCluster } from './kafkajs-internals.ts'

/** The owner of one consumer. Neither method may reject. */
export interface GroupObserver {
  /** True once the owner wants to leave: a join under way is undone. */
  readonly isStopping: boolean
  /** Before each join; the join waits for it. The membership of the ending generation is still valid. */
  beforeJoin(group: ConsumerGroup): Promise<void>
  /** After each join; fetching waits for it. False: a newer generation is being formed, join again. */
  afterJoin(group: ConsumerGroup): Promise<boolean>
}

const observers = new WeakMap<InternalCluster, GroupObserver>()
const { prototype } = ConsumerGroupClass
const original = prototype.joinAndSync
let installed = false

/** Observes the consumer that uses this cluster object. */
export function observeGroup(cluster: InternalCluster, observer: GroupObserver): void {
  install()
  observers.set(cluster, observer)
}

function install(): void {
  if (installed) return
  installed = true
  prototype.joinAndSync = async function (): Promise<void> {
    const observer = observers.get(this.cluster)
    if (observer === undefined) return original.call(this)
    do {
      if (observer.isStopping) throw new LabanError('LABAN_SHUTDOWN')
      await observer.beforeJoin(this)
      await original.call(this)
      if (observer.isStopping) {
        await this.leave()
        throw new LabanError('LABAN_SHUTDOWN')
      }
    } while (!(await observer.afterJoin(this)))
  }
}
