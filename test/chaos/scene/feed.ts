/** Publishes the load with `laban publish`, file by file over the time of a run; a file that could not be published is published again. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Deployment } from '../../harness/processes.ts'
import type { Load } from '../load/choreographies.ts'

/** What is published, over which time. */
export interface FeedPlan {
  readonly deployment: Deployment
  readonly load: Load
  readonly flows: number
  readonly seed: number
  readonly overMs: number
  readonly signal: AbortSignal
}

const FILE_SECONDS = 30
const PAUSE_MS = 1_000
/** Each file costs a start of the command. */
const HASTE = 1.1
/** After so many failures in a row something is wrong with more than a server that is away. */
const MAX_FAILURES = 120

/** Resolves when all is published. Gives how often a file had to be published again. */
export async function feed({ deployment, load, flows, seed, overMs, signal }: FeedPlan): Promise<number> {
  const rows = load.rows(flows, seed)
  const files = Math.max(1, Math.ceil(overMs / 1_000 / FILE_SECONDS))
  const size = Math.ceil(flows / files)
  const rate = String(Math.max(1, (flows / overMs) * 1_000 * HASTE))
  const beganAtMs = Date.now()
  let failures = 0
  for (let index = 0; index * size < flows; index++) {
    await pause(Math.max(0, beganAtMs + (index * overMs) / files - Date.now()), undefined, { signal })
    const file = join(deployment.folder, `${load.name}-${index}.csv`)
    await writeFile(file, `${[load.head, ...rows.slice(index * size, (index + 1) * size)].join('\n')}\n`)
    const args = ['publish', load.firstTopic, '--file', file, '--on', 'kafka', '--rate', rate, '--id', load.idColumn]
    for (let inARow = 0; ; inARow++) {
      const { code, stderr } = await deployment.laban(args)
      if (code === 0) break
      failures++
      if (inARow >= MAX_FAILURES) throw new Error(`${load.firstTopic} cannot be published: ${stderr}`)
      await pause(PAUSE_MS, undefined, { signal })
    }
  }
  return failures
}
