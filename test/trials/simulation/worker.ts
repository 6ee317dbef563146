/** A process of the trial: simulates the blocks of seeds that it is sent, goes on behind violations, and answers with sums. */
import { describeViolation } from '../../../runtime/testing/simulation/report.ts'
import { simulateAll } from '../../../runtime/testing/simulation/simulate.ts'
import { openTrialScene, type TrialScene } from './scenes.ts'
import { addReport, emptyTally, type Tally } from './tally.ts'

/** Seeds of one scene, all with the same options. */
export interface Block {
  readonly name: string
  readonly seed: number
  readonly runs: number
  readonly flows: number
  readonly faults: number
}

/** What became of a block. */
export interface BlockEnd {
  readonly block: Block
  readonly tally: Tally
  /** Violations for people. */
  readonly shown: readonly string[]
}

const scenes = new Map<string, Promise<TrialScene>>()

async function simulateBlock(block: Block): Promise<BlockEnd> {
  const { name, runs, flows, faults } = block
  const opening = scenes.get(name) ?? openTrialScene(name)
  scenes.set(name, opening)
  const { agents, optionsFrom } = await opening
  const tally = emptyTally()
  const shown: string[] = []
  const endSeed = block.seed + runs
  for (let seed = block.seed; seed < endSeed;) {
    const beganAtMs = performance.now()
    const report = await simulateAll(agents, { ...optionsFrom(block.seed), seed, flows, faults, runs: endSeed - seed })
    addReport(tally, report, performance.now() - beganAtMs)
    if (report.violation !== undefined) shown.push(`${name} ${describeViolation(report.violation)}`)
    seed += report.runs
  }
  return { block, tally, shown }
}

process.on('message', (block: Block) => {
  void simulateBlock(block).then((end) => process.send?.(end))
})
