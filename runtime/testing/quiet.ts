/**
 * Knows when a choreography has come to rest: every agent has finished every record of its topics. Never waits for a time: while
 * nothing but timers is left - a backoff, say - it skips to the next one; while a handler runs, time runs.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { LabanError } from '../../contracts/errors.ts'
import { clusterOf, type MemoryBroker } from '../adapters/memory/broker.ts'
import type { Agent } from '../agent.ts'
import type { AgentStatus } from '../service/agent-runner.ts'
import type { Service } from '../service/service.ts'
import type { TestClock } from './test-clock.ts'

/** Turns of the event loop without any progress after which only timers can be what is awaited. */
const CALM_TURNS = 3
/** While handlers run, what they wait for lies outside. */
const HANDLER_PAUSE_MS = 1

/** Counts the handlers that run now. */
export class RunningHandlers {
  count = 0

  /** The same agent, counted. */
  watch(agent: Agent): Agent {
    const handle: Agent['handle'] = async (event, context) => {
      this.count++
      try {
        await agent.handle(event, context)
      } finally {
        this.count--
      }
    }
    return { ...agent, handle }
  }
}

/** What is watched. */
export interface QuietOptions {
  readonly broker: MemoryBroker
  readonly service: Service
  readonly agents: readonly Agent[]
  readonly handlers: RunningHandlers
  readonly clock: TestClock
  readonly timeoutMs: number
}

/** Resolves when nothing is left to do. @throws LABAN_TEST_NOT_QUIET naming what is open after `timeoutMs` of real time */
export async function untilQuiet(options: QuietOptions): Promise<void> {
  const { handlers, clock, timeoutMs } = options
  const deadline = performance.now() + timeoutMs
  let calmTurns = 0
  let before = ''
  for (;;) {
    const open = openWork(options)
    if (open.length === 0) return
    if (performance.now() > deadline) throw new LabanError('LABAN_TEST_NOT_QUIET', { timeoutMs, open: open.join(', ') })
    const progress = `${open.join()} ${handlers.count} ${clusterSize(options.broker)}`
    calmTurns = progress === before ? calmTurns + 1 : 0
    before = progress
    if (calmTurns < CALM_TURNS) await nextTurn()
    else if (handlers.count > 0) await pause(HANDLER_PAUSE_MS)
    else {
      clock.skipToNext()
      calmTurns = 0
      await nextTurn()
    }
  }
}

/** One entry per partition or agent with something left; empty when quiet. Looks at one instant: nothing here awaits. */
function openWork({ broker, service, agents }: QuietOptions): readonly string[] {
  const { agents: statuses } = service.health
  return agents.flatMap((agent) => {
    const status = statuses.find((candidate) => candidate.agent === agent.name)
    if (status?.isConsuming !== true) return [`${agent.name} does not consume`]
    const behind = agent.topics.flatMap((topic) => unfinished(broker, topic, status))
    return status.running + status.open > 0 && behind.length === 0 ? [`${agent.name} is not done`] : behind
  })
}

function unfinished(broker: MemoryBroker, topic: string, { agent, positions }: AgentStatus): string[] {
  return clusterOf(broker)
    .topic(topic, 'fetch')
    .partitions.flatMap(({ partition, endOffset }) => {
      const held = positions.find((position) => position.topic === topic && position.partition === partition)
      if (held === undefined) return [`${agent} has not been given ${topic}/${partition}`]
      return held.offset < endOffset ? [`${agent} has not finished ${topic}/${partition}@${held.offset}`] : []
    })
}

function clusterSize(broker: MemoryBroker): number {
  let records = 0
  for (const { partitions } of clusterOf(broker).topics.values()) {
    for (const { endOffset } of partitions) records += endOffset
  }
  return records
}
