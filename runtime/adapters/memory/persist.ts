/**
 * Keeps an embedded run in a file: written in batches while the broker runs, read back into a memory broker afterwards.
 * A file is a header (8 bytes magic, 2 bytes format version) and frames (4 bytes length, 4 bytes CRC-32, entries). What a
 * killed process leaves behind is a prefix of that: everything up to the last whole frame is read.
 */
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { describeUnknown, isLabanError, LabanError } from '../../../contracts/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { clusterOf, createMemoryBroker, type MemoryBroker } from './broker.ts'
import type { Cluster, ClusterObserver } from './cluster.ts'
import { EntryLoader, EntryWriter } from './log-entries.ts'

const MAGIC = Buffer.from('LABANLOG')
const HEADER_BYTES = MAGIC.length + 2
const FRAME_HEADER_BYTES = 8

/** Version of the format that is written; all up to it are read. */
export const LOG_FORMAT_VERSION = 1

/** Entries that are written at once although the time has not come. */
const FRAME_BYTES = 1_048_576
const DEFAULT_FLUSH_MS = 50

/** A file that a broker is being written to. */
export interface LogFile {
  readonly file: string
  /** Resolves when everything up to now has been handed to the operating system. @throws LABAN_LOG_FILE */
  flush(): Promise<void>
  /** Writes what is left and stops. Twice is harmless. @throws LABAN_LOG_FILE */
  close(): Promise<void>
}

export interface PersistOptions {
  /** Longest time that a record stays unwritten. @default 50 */
  readonly flushMs?: number
  /** Told once when the file cannot be written any more; the broker goes on without it. */
  readonly onError?: (error: LabanError) => void
}

/**
 * Writes a broker to a new file: what it holds now, and every change from now on. Its folder is made.
 * @throws LABAN_LOG_FILE when the file exists or cannot be made
 */
export async function persistTo(broker: MemoryBroker, file: string, options: PersistOptions = {}): Promise<LogFile> {
  const handle = await guarded(file, async () => {
    await mkdir(dirname(file), { recursive: true })
    const created = await open(file, 'wx')
    await created.write(header())
    return created
  })
  return new LogFileWriter(clusterOf(broker), file, handle, options)
}

class LogFileWriter implements LogFile {
  readonly file: string
  readonly #cluster: Cluster
  readonly #handle: FileHandle
  readonly #options: PersistOptions
  readonly #entries = new EntryWriter()
  readonly #observer: ClusterObserver
  #writing: Promise<void> = Promise.resolve()
  #isTimed = false
  #closing: Promise<void> | undefined
  #failure: LabanError | undefined

  constructor(cluster: Cluster, file: string, handle: FileHandle, options: PersistOptions) {
    this.#cluster = cluster
    this.file = file
    this.#handle = handle
    this.#options = options
    this.#observer = this.#observe()
    this.#writeAll()
    cluster.observers.add(this.#observer)
  }

  async flush(): Promise<void> {
    this.#write()
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#cluster.observers.delete(this.#observer)
    try {
      await this.flush()
    } finally {
      await this.#handle.close()
    }
  }

  #observe(): ClusterObserver {
    const entries = this.#entries
    const after = (write: () => void): void => {
      if (this.#failure !== undefined) return
      write()
      this.#schedule()
    }
    return {
      topicChanged: (topic) => after(() => entries.topic(topic)),
      appended: (position, record) => after(() => entries.record(position, record)),
      committed: (group, position, commit) => after(() => entries.commit(group, position, commit)),
      trimmed: (position, startOffset) => after(() => entries.start(position, startOffset)),
    }
  }

  /** What the broker held before the file was opened. */
  #writeAll(): void {
    for (const topic of this.#cluster.topics.values()) {
      this.#observer.topicChanged(topic)
      for (const log of topic.partitions) {
        if (log.startOffset > 0) this.#observer.trimmed(log, log.startOffset)
        for (const record of log.read(0, Infinity, { maxRecords: Infinity, maxBytes: Infinity })) {
          this.#observer.appended(log, record)
        }
      }
    }
    for (const group of this.#cluster.groups.values()) {
      for (const commit of group.commits()) this.#observer.committed(group.name, commit, commit)
    }
  }

  #schedule(): void {
    if (this.#entries.length >= FRAME_BYTES) return this.#write()
    if (this.#isTimed) return
    this.#isTimed = true
    this.#cluster.clock.after(this.#options.flushMs ?? DEFAULT_FLUSH_MS, () => {
      this.#isTimed = false
      if (this.#closing === undefined) this.#write()
    })
  }

  #write(): void {
    if (this.#entries.length === 0 || this.#failure !== undefined) return
    const frame = frameOf(this.#entries.take())
    this.#writing = this.#writing.then(async () => {
      if (this.#failure !== undefined) return
      try {
        await guarded(this.file, () => writeWhole(this.#handle, frame))
      } catch (error) {
        this.#failure = error as LabanError
        this.#options.onError?.(this.#failure)
      }
    })
  }
}

/** A run read back. */
export interface OpenedLog {
  /** Holds topics, records and committed offsets; new records go into memory only. */
  readonly broker: MemoryBroker
  /** Bytes at the end that a killed writer left incomplete; 0 for a whole file. */
  readonly cutBytes: number
}

/**
 * Reads a file into a memory broker; also while another process still writes it.
 * @throws LABAN_LOG_FILE when it is missing or no log file, LABAN_FORMAT_TOO_NEW when a newer laban wrote it
 */
export async function openLog(file: string, options: { readonly clock: Clock }): Promise<OpenedLog> {
  return await guarded(file, async () => {
    await using handle = await open(file, 'r')
    await checkHeader(file, handle)
    const broker = createMemoryBroker(options)
    const loader = new EntryLoader(clusterOf(broker))
    const { size } = await handle.stat()
    let position = HEADER_BYTES
    for (;;) {
      const entries = await readFrame(handle, position, size)
      if (entries === undefined) return { broker, cutBytes: size - position }
      loader.load(entries)
      position += FRAME_HEADER_BYTES + entries.length
    }
  })
}

function header(): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt16BE(LOG_FORMAT_VERSION, MAGIC.length)
  return bytes
}

async function checkHeader(file: string, handle: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
  if (bytesRead < HEADER_BYTES || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new LabanError('LABAN_LOG_FILE', { file, problem: 'it is not the log of an embedded run' })
  }
  const found = buffer.readUInt16BE(MAGIC.length)
  if (found > LOG_FORMAT_VERSION) {
    throw new LabanError('LABAN_FORMAT_TOO_NEW', { what: `Log file ${file}`, found, known: LOG_FORMAT_VERSION })
  }
}

function frameOf(entries: Buffer): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES)
  frame.writeUInt32BE(entries.length, 0)
  frame.writeUInt32BE(crc32(entries), 4)
  return Buffer.concat([frame, entries])
}

/** The entries of the frame at a position, or undefined when none is there as a whole. */
async function readFrame(handle: FileHandle, position: number, size: number): Promise<Buffer | undefined> {
  if (position + FRAME_HEADER_BYTES > size) return undefined
  const { buffer: frame } = await handle.read(Buffer.alloc(FRAME_HEADER_BYTES), 0, FRAME_HEADER_BYTES, position)
  const length = frame.readUInt32BE(0)
  if (position + FRAME_HEADER_BYTES + length > size) return undefined
  const { buffer: entries } = await handle.read(
    Buffer.allocUnsafeSlow(length),
    0,
    length,
    position + FRAME_HEADER_BYTES,
  )
  return crc32(entries) === frame.readUInt32BE(4) ? entries : undefined
}

async function writeWhole(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await handle.write(bytes, written)).bytesWritten
  }
}

/** Says which file it was that failed. */
async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isLabanError(error)) throw error
    throw new LabanError('LABAN_LOG_FILE', { file, problem: describeUnknown(error) }, { cause: error })
  }
}
