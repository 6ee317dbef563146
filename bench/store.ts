/**
 * Measures the store in Redis: read, compute and finish of batches, one call at a time and several under way, and the memory that
 * one entry takes. `node --conditions=laban-source bench/store.ts [redis url]`; without a URL the Redis of the stack.
 */
import { randomUUID } from 'node:crypto'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { Redis } from 'ioredis'
import { createRedisStore } from '../runtime/adapters/redis/store.ts'
import type { ClaimStore, HandlingRef } from '../runtime/ports/claim-store.ts'
import { systemClock } from '../runtime/ports/clock.ts'
import { silentLogger } from '../runtime/ports/logger.ts'
import { stackAddress } from '../test/harness/real-stack.ts'

const OUTPUT_BYTES = 500
const SECONDS = 1.5
const OWNER = `${'host-name-of-a-pod'}.${randomUUID().slice(0, 8)}`
const POSITION = { topic: 'credit.application-received', partition: 3, offset: 1_000_000 }

const print = (text: string): void => void process.stdout.write(`${text}\n`)

type Step = 'read absent' | 'compute' | 'finish'

function printTable(rows: Readonly<Record<string, Readonly<Record<string, number>>>>): void {
  for (const [name, row] of Object.entries(rows)) {
    const cells = Object.entries(row).map(([column, value]) => `${column} ${value.toLocaleString('en')}`)
    print(`  ${name.padEnd(10)} ${cells.map((cell) => cell.padEnd(22)).join(' ')}`)
  }
}

function newRefs(count: number): HandlingRef[] {
  return Array.from({ length: count }, () => ({ flowId: randomUUID(), handlingId: randomUUID() }))
}

/** One call; a wrong answer ends the run. */
async function run(claims: ClaimStore, step: Step, refs: readonly HandlingRef[]): Promise<void> {
  const right = (await ask(claims, step, refs)).filter((isRight) => isRight).length
  if (right !== refs.length) throw new Error(`${step}: ${right} of ${refs.length} answers are right`)
}

async function ask(claims: ClaimStore, step: Step, refs: readonly HandlingRef[]): Promise<readonly boolean[]> {
  if (step === 'read absent') return (await claims.read(refs)).map(({ state }) => state === 'absent')
  const outputs = Buffer.alloc(OUTPUT_BYTES, 7)
  const answers =
    step === 'finish'
      ? await claims.finish(refs)
      : await claims.compute(
          refs.map((ref) => ({ ...ref, owner: OWNER, attempt: 1, from: 'absent', position: POSITION, outputs })),
        )
  return answers.map(({ accepted }) => accepted)
}

/** Entries per second of each step; batches of `size`, `underWay` at once. */
async function measure(claims: ClaimStore, size: number, underWay: number): Promise<Record<Step, number>> {
  const spentMs: Record<Step, number> = { 'read absent': 0, compute: 0, finish: 0 }
  let entries = 0
  const endAtMs = performance.now() + SECONDS * 1_000
  while (performance.now() < endAtMs) {
    const batches = Array.from({ length: underWay * Math.max(1, Math.floor(200 / size)) }, () => newRefs(size))
    for (const step of ['read absent', 'compute', 'finish'] as const) {
      const startedAtMs = performance.now()
      const queue = batches.values()
      const worker = async (): Promise<void> => {
        for (const refs of queue) await run(claims, step, refs)
      }
      await Promise.all(Array.from({ length: underWay }, worker))
      spentMs[step] += performance.now() - startedAtMs
    }
    entries += batches.length * size
  }
  const rate = (step: Step): number => Math.round((entries / spentMs[step]) * 1_000)
  return { 'read absent': rate('read absent'), compute: rate('compute'), finish: rate('finish') }
}

/** Bytes of Redis memory per entry, all of the key included. */
async function memoryPerEntry(claims: ClaimStore, admin: Redis): Promise<Record<string, number>> {
  const count = 20_000
  const usedBytes = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
  const refs = newRefs(count)
  const before = await usedBytes()
  await run(claims, 'compute', refs)
  const computed = (await usedBytes()) - before
  await run(claims, 'finish', refs)
  const done = (await usedBytes()) - before
  return {
    [`computed with ${OUTPUT_BYTES} B of outputs`]: Math.round(computed / count),
    done: Math.round(done / count),
  }
}

const url = process.argv[2] ?? (await stackAddress('redisUrl'))
const namespace = `bench-${randomUUID().slice(0, 8)}`
const store = createRedisStore({ url, namespace, clock: systemClock, logger: silentLogger })
const admin = new Redis(url)
await store.connect()
// Short enough that what a run leaves behind is soon gone.
const claims = store.claimsOf('bench.agent', { dedupMs: 60_000, joinTtlMs: 60_000 })
const model = cpus()[0]?.model ?? 'unknown CPU'
print(`Redis ${(await store.health()).version}, ${availableParallelism()} x ${model}, load ${loadavg()[0]?.toFixed(1)}`)
await measure(claims, 100, 1)
const rows: Record<string, Record<Step, number>> = {}
for (const underWay of [1, 4]) {
  for (const size of [1, 100, 1_000]) rows[`${size} x ${underWay}`] = await measure(claims, size, underWay)
}
print('Entries per second (batch size x calls under way)')
printTable(rows)
print('Bytes of Redis memory per entry')
printTable({ bytes: await memoryPerEntry(claims, admin) })
await store.close()
admin.disconnect()
