/** Publishes the load with `laban publish`, file by file over the time of a run; a file that could not be published is published again. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Stage } from './stage.ts'

/** What is published, over which time. */
export interface FeedPlan {
  readonly stage: Stage
  readonly seed: number
  readonly overMs: number
  readonly signal: AbortSignal
}

const FILE_SECONDS = 30
const PAUSE_MS = 1_000
const START_MS = 1_000
/** Each file costs a start of the command, and time in which a server was away is made up for, but not at any speed. */
const FASTEST = 3
/** After so many failures in a row something is wrong with more than a server that is away. */
const MAX_FAILURES = 120

/** Resolves when all is published. Gives how often a file had to be published again. */
export async function feed({ stage, seed, overMs, signal }: FeedPlan): Promise<number> {
  const { deployment, load } = stage
  const { flows } = stage.choreography
  const rows = load.rows(flows, seed)
  const files = Math.max(1, Math.ceil(overMs / 1_000 / FILE_SECONDS))
  const size = Math.ceil(flows / files)
  const fileMs = overMs / files
  const beganAtMs = Date.now()
  let failures = 0
  for (let index = 0; index * size < flows; index++) {
    await pause(Math.max(0, beganAtMs + index * fileMs - Date.now()), undefined, { signal })
    const file = join(deployment.folder, `${load.name}-${index}.csv`)
    await writeFile(file, `${[load.head, ...rows.slice(index * size, (index + 1) * size)].join('\n')}\n`)
    const args = ['publish', load.firstTopic, '--file', file, '--on', 'kafka', '--id', load.idColumn]
    for (let inARow = 0; ; inARow++) {
      const leftMs = beganAtMs + (index + 1) * fileMs - START_MS - Date.now()
      const rate = Math.max(1, (size / Math.max(leftMs, fileMs / FASTEST)) * 1_000)
      const { code, stderr } = await deployment.laban([...args, '--rate', String(rate)])
      if (code === 0) break
      failures++
      if (inARow >= MAX_FAILURES) throw new Error(`${load.firstTopic} cannot be published: ${stderr}`)
      await pause(PAUSE_MS, undefined, { signal })
    }
  }
  return failures
}
