/** What one undisturbed run leaves behind: for tests that judge it otherwise. */
import type { Agent } from '../../../../../runtime/agent.ts'
import type { History } from '../../../../../runtime/testing/invariants/history.ts'
import { openScene } from '../../../../../runtime/testing/simulation/open-scene.ts'
import { simulateRun } from '../../../../../runtime/testing/simulation/run.ts'
import { testContracts } from '../../../../harness/world.ts'

export async function historyOfRun(agents: readonly Agent[], { seed = 1 } = {}): Promise<History> {
  const scene = await openScene(agents, { contracts: testContracts, flows: 10, processes: 2 })
  return (await simulateRun(scene, seed, [])).history
}
