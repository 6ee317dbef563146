/**
 * Waits until nothing of some topics is under way: nobody writes to them, and every agent that reads them has finished all they
 * hold. Partitions that are added then break no order, as long as nothing is written to the topics meanwhile.
 */
import { delay, LabanError, type Clock, type Stack } from '../../runtime/internal.ts'

export interface DrainRequest {
  readonly admin: Pick<Stack['broker']['admin'], 'offsets' | 'groupOffsets' | 'describeGroup'>
  readonly clock: Clock
  /** Topic to the agents that read it. */
  readonly readers: ReadonlyMap<string, readonly string[]>
  readonly timeoutMs: number
  /** Called whenever what is waited for has changed. */
  readonly onWaiting: (text: string) => void
}

/** What stands in the way of one topic. */
interface Obstacle {
  readonly topic: string
  readonly problem: string
}

const LOOK_EVERY_MS = 1_000

/**
 * Resolves with the number of records ever written to each topic, at the moment when nothing was under way.
 * @throws LABAN_TOPIC_IN_USE that names the first topic and what it waited for
 */
export async function drainTopics(request: DrainRequest): Promise<ReadonlyMap<string, number>> {
  const { readers, clock, timeoutMs, onWaiting } = request
  const deadlineAtMs = clock.nowMs() + timeoutMs
  let before: ReadonlyMap<string, number> | undefined
  let told = ''
  for (;;) {
    const written = new Map<string, number>()
    const obstacles: Obstacle[] = []
    for (const [topic, agents] of readers) {
      written.set(topic, await countWritten(request.admin, topic))
      obstacles.push(...(await unfinished(request, topic, agents)))
      const added = (written.get(topic) ?? 0) - (before?.get(topic) ?? Number.NaN)
      if (added > 0) obstacles.push({ topic, problem: 'events are still published to it' })
    }
    // Two looks in a row: one alone cannot tell a moment of rest from the end of publishing.
    if (obstacles.length === 0 && before !== undefined) return written
    before = written
    const text = obstacles.map(({ topic, problem }) => `${topic}: ${problem}`).join('; ')
    if (text !== '' && text !== told) onWaiting((told = text))
    const [first] = obstacles
    if (first !== undefined && clock.nowMs() >= deadlineAtMs) {
      throw new LabanError('LABAN_TOPIC_IN_USE', { ...first, timeoutMs })
    }
    await delay(clock, LOOK_EVERY_MS)
  }
}

/** Records ever written to the first `partitions` partitions of a topic; to all of them by default. */
export async function countWritten(
  admin: DrainRequest['admin'],
  topic: string,
  partitions = Number.POSITIVE_INFINITY,
): Promise<number> {
  const offsets = await admin.offsets(topic)
  return offsets.reduce((sum, { partition, endOffset }) => sum + (partition < partitions ? endOffset : 0), 0)
}

/** A committed offset at the end means that everything below it is finished and nothing is in flight. */
async function unfinished(
  { admin }: DrainRequest,
  topic: string,
  agents: readonly string[],
): Promise<readonly Obstacle[]> {
  const offsets = await admin.offsets(topic)
  const obstacles: Obstacle[] = []
  for (const agent of agents) {
    const commits = new Map((await admin.groupOffsets(agent, [topic])).map((at) => [at.partition, at.offset]))
    if (commits.size === 0) {
      // Never begun: it reads everything later anyway, from all partitions at once.
      const { members } = await admin.describeGroup(agent)
      if (members > 0) obstacles.push({ topic, problem: `${agent} has just begun to read it` })
      continue
    }
    const lag = offsets.reduce((sum, { partition, startOffset, endOffset }) => {
      return sum + Math.max(0, endOffset - (commits.get(partition) ?? startOffset))
    }, 0)
    if (lag > 0) obstacles.push({ topic, problem: `${agent} has ${lag} events to finish` })
  }
  return obstacles
}
