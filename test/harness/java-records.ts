/** Record batches read and written by Kafka's own Java classes: one start of Java for any number of them. */
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { kafka, kafkaProgram } from '../../infra/stack/servers/kafka.ts'
import { resolveSettings } from '../../infra/stack/settings.ts'
import { run } from '../../infra/stack/shell.ts'
import { ensureProgram } from '../../infra/stack/toolchain.ts'

/** A record; keys, values and header values are base64. */
export interface JavaRecord {
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

/** A batch as Java reads it; one that is not valid (its checksum is wrong) has nothing else. */
export interface JavaBatch {
  readonly isValid: boolean
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  /** As text, because it may be beyond 2^53. */
  readonly producerId: string
  readonly producerEpoch: number
  readonly sequence: number
  readonly records: readonly (JavaRecord & { readonly offset: number })[]
}

/** A batch for Java to write. */
export interface JavaWrite {
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly baseOffset: number
  readonly producerId: string
  readonly producerEpoch: number
  readonly sequence: number
  readonly records: readonly JavaRecord[]
}

const projectDir = join(import.meta.dirname, '..', '..')
const program = join(projectDir, 'test', 'integration', 'kafka', 'java', 'RecordBatches.java')

/** Gives both to Java: bytes to be read, each the batches of one fetch, and batches to be written. */
export async function askJava(asked: {
  readonly read: readonly Buffer[]
  readonly write: readonly JavaWrite[]
}): Promise<{ readonly read: readonly (readonly JavaBatch[])[]; readonly write: readonly Buffer[] }> {
  const settings = resolveSettings(projectDir, process.env)
  await kafka.install(settings)
  // A runtime alone cannot run a source file, so the one that lies beside the compiler.
  const compiler = await ensureProgram(settings.cacheDir, 'javac', 'openjdk-17-jdk-headless')
  const java = join(dirname(await realpath(compiler)), 'java')
  const { classPath } = await kafkaProgram(settings)
  const folder = await mkdtemp(join(tmpdir(), 'laban-java-'))
  try {
    const [input, output] = [join(folder, 'asked.json'), join(folder, 'answer.json')]
    await writeFile(input, JSON.stringify({ ...asked, read: asked.read.map((bytes) => bytes.toString('base64')) }))
    await run(java, ['-XX:TieredStopAtLevel=1', ...classPath, program, input, output])
    const answer = JSON.parse(await readFile(output, 'utf8')) as { read: JavaBatch[][]; write: string[] }
    return { read: answer.read, write: answer.write.map((bytes) => Buffer.from(bytes, 'base64')) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
