/** What tests of steps share: an agent that calls some, a note of what ran, and an owner that dies in the middle of its handler. */
import type { Agent } from '../../../../runtime/agent.ts'
import { testAgent, type Note, type TestContext, type World } from '../../../harness/world.ts'
import { waitFor } from '../../../harness/wait.ts'

const SHORT_LEASE = {
  leaseMs: 300,
  limits: {
    maxOpen: 1_000,
    maxOpenBytes: 1_000_000,
    commitIntervalMs: 50,
    sessionTimeoutMs: 300,
    heartbeatIntervalMs: 50,
  },
}

/** An agent of a test choreography. */
export function agentOf(handle: (context: TestContext, event: Note) => Promise<void>, policies: object = {}): Agent {
  return testAgent({
    name: 'test.stepper',
    consumes: 'test.in',
    produces: { maybe: ['test.out'] },
    retry: { maxAttempts: 3, baseDelayMs: 1, maxDelayMs: 2 },
    handle: (event: Note, context: TestContext) => handle(context, event),
    ...policies,
  })
}

/** What ran, in order. */
export class Runs {
  readonly names: string[] = []

  /** The function of a step that says that it ran. */
  note<T>(name: string, result: T): () => T {
    return () => {
      this.names.push(name)
      return result
    }
  }

  /** The function of a step that says that it ran, and never ends. */
  hang(name: string): () => Promise<never> {
    return this.note(name, new Promise<never>(() => undefined))
  }
}

/** The first agent dies in the middle, the second takes its work over. */
export async function dieThenRun(world: World, first: Agent, isIn: () => boolean, second: Agent): Promise<string> {
  const dead = await world.startMortal([first], { instance: 'dead', ...SHORT_LEASE })
  const id = await world.publish('test.in', { text: 'x' })
  await waitFor(isIn, { what: 'the first run to reach its middle' })
  dead.kill()
  await world.start([second], { instance: 'heir', ...SHORT_LEASE })
  return id
}
