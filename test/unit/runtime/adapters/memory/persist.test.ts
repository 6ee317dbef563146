/** The file of an embedded run: what comes back is what was there, up to the last whole frame. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createMemoryBroker, type MemoryBroker } from '../../../../../runtime/adapters/memory/broker.ts'
import { openLog, persistTo } from '../../../../../runtime/adapters/memory/persist.ts'
import type { Broker } from '../../../../../runtime/ports/broker.ts'
import { systemClock } from '../../../../../runtime/ports/clock.ts'
import { readTopic } from '../../../../harness/read-topic.ts'
import { temporaryFolder } from '../../../../harness/temporary-folder.ts'
import { waitFor } from '../../../../harness/wait.ts'

const clock = systemClock

describe('log file', () => {
  it('gives back topics, records, starts and committed offsets, from before and after it was opened', async () => {
    const broker = createMemoryBroker({ clock })
    const file = join(await temporaryFolder(), 'deep', 'run.log')
    await fill(broker, 'before')
    broker.trim('before', 0, 1)
    await broker.admin.setGroupOffsets('group', [{ topic: 'before', partition: 0, offset: 2, metadata: 'mé' }])
    const log = await persistTo(broker, file)
    await fill(broker, 'after')
    await broker.admin.addPartitions('after', 4)
    await broker.admin.setTopicConfig('after', { 'retention.ms': '5' })
    await broker.admin.setGroupOffsets('group', [{ topic: 'after', partition: 1, offset: 1, metadata: '' }])
    await broker.producer().then((producer) => producer.send([text('after', 3, 'in the new partition')]))
    broker.trim('before', 1, 1)
    await log.close()

    const opened = await openLog(file, { clock })
    expect(opened.cutBytes).toBe(0)
    expect(await contentOf(opened.broker)).toEqual(await contentOf(broker))
    const producer = await opened.broker.producer()
    expect(await producer.send([text('before', 0, 'more')])).toMatchObject([{ offset: 3 }])
  })

  it('can be read while it is being written, and flushes by itself', async () => {
    const broker = createMemoryBroker({ clock })
    const file = join(await temporaryFolder(), 'run.log')
    const log = await persistTo(broker, file, { flushMs: 1 })
    await fill(broker, 'orders')
    await waitFor(async () => (await openLog(file, { clock })).broker.admin.offsets('orders'), { what: 'the records' })
    await log.flush()
    expect(await contentOf((await openLog(file, { clock })).broker)).toEqual(await contentOf(broker))
    await log.close()
    await log.close()
  })

  it('reads a file that was cut anywhere up to its last whole frame', async () => {
    const folder = await temporaryFolder()
    const { bytes, frameEnds } = await threeFrames(join(folder, 'whole.log'))
    const cut = join(folder, 'cut.log')
    for (let length = frameEnds[0] ?? 0; length <= bytes.length; length += 1) {
      await writeFile(cut, bytes.subarray(0, length))
      const wholeEnd = frameEnds.findLast((end) => end <= length) ?? 0
      const opened = await openLog(cut, { clock })
      expect(opened.cutBytes, `${length} bytes`).toBe(length - wholeEnd)
      expect(await readTopic(opened.broker, 'orders')).toHaveLength(frameEnds.indexOf(wholeEnd) + 1)
    }
  })

  it('stops at a damaged frame', async () => {
    const file = join(await temporaryFolder(), 'damaged.log')
    const { bytes, frameEnds } = await threeFrames(file)
    bytes.writeUInt8((bytes.at((frameEnds[1] ?? 0) - 1) ?? 0) ^ 1, (frameEnds[1] ?? 0) - 1)
    await writeFile(file, bytes)
    const opened = await openLog(file, { clock })
    expect(opened.cutBytes).toBe(bytes.length - (frameEnds[0] ?? 0))
    expect(await readTopic(opened.broker, 'orders')).toHaveLength(1)
  })

  it('refuses what it cannot read, naming the file', async () => {
    const folder = await temporaryFolder()
    const newer = join(folder, 'newer.log')
    await writeFile(newer, Buffer.concat([Buffer.from('LABANLOG'), Buffer.from([0, 2])]))
    const tooNew = { code: 'LABAN_FORMAT_TOO_NEW', details: { found: 2, known: 1 } }
    await expect(openLog(newer, { clock })).rejects.toMatchObject(tooNew)
    const other = join(folder, 'other.log')
    await writeFile(other, 'something else entirely')
    for (const file of [other, join(folder, 'missing.log')]) {
      await expect(openLog(file, { clock })).rejects.toMatchObject({ code: 'LABAN_LOG_FILE', details: { file } })
    }
  })

  it('never writes over a former run', async () => {
    const file = join(await temporaryFolder(), 'run.log')
    await writeFile(file, 'precious')
    const writing = persistTo(createMemoryBroker({ clock }), file)
    await expect(writing).rejects.toMatchObject({ code: 'LABAN_LOG_FILE', details: { file } })
    expect(await readFile(file, 'utf8')).toBe('precious')
  })

  it('keeps what a killed process had written', async () => {
    const file = join(await temporaryFolder(), 'killed.log')
    const child = spawn(process.execPath, [join(import.meta.dirname, 'persist-until-killed.ts'), file])
    await waitFor(async () => (await stat(file)).size > 200_000, { what: 'a file that grows', timeoutMs: 10_000 })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const { broker } = await openLog(file, { clock })
    const records = await readTopic(broker, 'orders')
    expect(records.length).toBeGreaterThan(100)
    expect(records.map(({ value }) => Number(value?.toString()))).toEqual(records.map((_, index) => index))
  })
})

function text(topic: string, partition: number, value: string) {
  return { topic, partition, key: 'key', value: Buffer.from(value), headers: {} }
}

async function fill(broker: Broker, topic: string): Promise<void> {
  await broker.admin.createTopics([{ topic, partitions: 2, replication: 1, config: { 'retention.ms': '7' } }])
  const producer = await broker.producer()
  await producer.send([
    { topic, partition: 0, key: null, value: null, headers: {} },
    { topic, partition: 0, key: '', value: Buffer.alloc(0), headers: { empty: '', text: 'grüße' } },
    { topic, partition: 0, key: 'k', value: Buffer.from([0, 255]), headers: { many: ['a', Buffer.from([1, 2])] } },
    { topic, partition: 1, key: 'k', value: Buffer.alloc(70_000, 7), headers: { one: ['alone'] } },
  ])
}

/** Everything that a broker holds. */
async function contentOf(broker: MemoryBroker): Promise<unknown> {
  const topics = (await broker.admin.listTopics()).toSorted()
  return {
    topics: await broker.admin.describeTopics(topics),
    offsets: await Promise.all(topics.map((topic) => broker.admin.offsets(topic))),
    records: await Promise.all(topics.map((topic) => readTopic(broker, topic))),
    commits: await broker.admin.groupOffsets('group', topics),
  }
}

/** A file of three frames with one record each (the first with the topic), and where each ends. */
async function threeFrames(file: string): Promise<{ bytes: Buffer; frameEnds: readonly number[] }> {
  const broker = createMemoryBroker({ clock, autoCreateTopics: true, partitions: 1 })
  const log = await persistTo(broker, file, { flushMs: 60_000 })
  const producer = await broker.producer()
  const frameEnds: number[] = []
  for (const value of ['one', 'two', 'three']) {
    await producer.send([text('orders', 0, value)])
    await log.flush()
    frameEnds.push((await stat(file)).size)
  }
  await log.close()
  return { bytes: await readFile(file), frameEnds }
}
