/** A desk for the dead letters of a test world. */
import {
  deadLetterDeskOn,
  readDeadLetters,
  type DeadLetter,
  type DeadLetterDesk,
  type Stack,
} from '../../runtime/internal.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'
import { testContracts, type World } from './world.ts'

/** Dead letters of a world, and what can be done with them. Close it before the world. */
export async function deskOf(
  world: World,
): Promise<DeadLetterDesk & { letters(agent: string): Promise<readonly DeadLetter[]> }> {
  const { broker, registry } = world
  const parts = { kind: 'embedded', broker, registry, contracts: testContracts, clock: systemClock, log: silentLogger }
  const desk = await deadLetterDeskOn({ ...parts, config: { namespace: '' } } as unknown as Stack)
  return { ...desk, letters: (agent) => readDeadLetters({ broker }, agent) }
}
