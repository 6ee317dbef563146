/** Settings of a worker on the real stack: addresses, and a namespace that no other run has. */
import { stackAddress } from '../../test/harness/real-stack.ts'
import type { Variant } from './settings.ts'
import type { WorkerSettings } from './worker-protocol.ts'
import { CHAIN_WORKLOAD, type Workload } from './workload.ts'

const addresses = {
  brokers: await stackAddress('brokers'),
  redisUrl: await stackAddress('redisUrl'),
  registryUrl: await stackAddress('registryUrl'),
  otlpUrl: await stackAddress('otlpHttpUrl'),
}
let runs = 0

/** A young generation large enough that garbage collection is not what is compared. */
const WORKER_FLAGS = ['--max-semi-space-size=64']

/** The chain, where the workload says nothing else. */
export function runSettings(variant: Variant, workload: Partial<Workload> = {}): WorkerSettings {
  const namespace = `bench${process.pid}-${++runs}${variant}`
  return { ...addresses, variant, workload: { ...CHAIN_WORKLOAD, ...workload }, namespace, workerFlags: WORKER_FLAGS }
}
