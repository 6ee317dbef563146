/** Writes the ids of published events to a file, one per line, for scripts that read the flows back. */
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { unusable } from './read-rows.ts'

/** The file of `--ids-out`; does nothing when none was asked for. */
export interface IdsOut {
  write(id: string): void
  /** @throws LABAN_PUBLISH_INPUT when it could not be written */
  close(): Promise<void>
}

/** Opens it; an existing file is replaced. */
export function openIdsOut(file: string | undefined): IdsOut {
  if (file === undefined) return { write: () => undefined, close: () => Promise.resolve() }
  const stream = createWriteStream(file)
  let failure: unknown
  stream.on('error', (error) => (failure ??= error))
  return {
    write: (id) => void stream.write(`${id}\n`),
    close: async () => {
      stream.end()
      await finished(stream).catch((error: unknown) => (failure ??= error))
      if (failure !== undefined) throw unusable(file, 'the ids cannot be written', failure)
    },
  }
}
