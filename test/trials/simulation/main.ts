/**
 * `npm run simulate [-- --runs n --seed n --flows n --faults n --processes n --only name,name --out file]`: many simulated runs of the
 * choreographies in services/ and of agents that take steps and sleep. A violation is shown with its seed and the trial goes on; it ends
 * with status 1 if there was any. What is done stands in the file: the same command goes on from there.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { BLOCK, SCENES } from './scenes.ts'
import { addTally, describeTally, emptyTally, type Tally } from './tally.ts'
import type { Block, BlockEnd } from './worker.ts'

/** What is done, as the file holds it. */
interface Done {
  readonly options: { readonly seed: number; readonly flows: number; readonly faults: number }
  /** First seeds of the blocks that are done, by scene. */
  readonly blocks: Record<string, number[]>
  readonly scenes: Record<string, Tally>
}

const { values: given } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    flows: { type: 'string', default: '50' },
    faults: { type: 'string', default: '5' },
    processes: { type: 'string', default: '1' },
    only: { type: 'string' },
    out: { type: 'string', default: '.laban/simulation.json' },
  },
})
const options = { seed: Number(given.seed), flows: Number(given.flows), faults: Number(given.faults) }
const names: readonly string[] = given.only === undefined ? SCENES : given.only.split(',')
const done = readDone()
const open = openBlocks()
const total = open.length
const beganAtMs = performance.now()
await Promise.all(Array.from({ length: Number(given.processes) }, () => work(startWorker())))
for (const [name, tally] of Object.entries(done.scenes)) say(describeTally(name, tally))
if (Object.values(done.scenes).some(({ violations }) => violations.length > 0)) process.exitCode = 1

/** What the file says, if it speaks of the same runs. */
function readDone(): Done {
  const nothing: Done = { options, blocks: {}, scenes: {} }
  if (!existsSync(given.out)) return nothing
  const known = JSON.parse(readFileSync(given.out, 'utf8')) as Done
  if (JSON.stringify(known.options) === JSON.stringify(options)) return known
  say(`${given.out} is of other options: it is begun anew`)
  return nothing
}

/** Scenes take turns, so that a trial which is cut short has seen them all. */
function openBlocks(): Block[] {
  const runsEach = Math.ceil(Number(given.runs) / names.length)
  const blocks: Block[] = []
  for (let from = 0; from < runsEach; from += BLOCK) {
    for (const name of names) {
      const seed = options.seed + from
      if (done.blocks[name]?.includes(seed) === true) continue
      blocks.push({ name, seed, runs: Math.min(BLOCK, runsEach - from), flows: options.flows, faults: options.faults })
    }
  }
  return blocks
}

function startWorker(): ChildProcess {
  return fork(join(import.meta.dirname, 'worker.ts'))
}

async function work(worker: ChildProcess): Promise<void> {
  for (let block = open.shift(); block !== undefined; block = open.shift()) keep(await ask(worker, block))
  worker.disconnect()
}

function ask(worker: ChildProcess, block: Block): Promise<BlockEnd> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => {
      reject(new Error(`the process of ${block.name} from seed ${block.seed} has ended with ${code}`))
    }
    worker.once('exit', ended)
    worker.once('message', (end: BlockEnd) => {
      worker.off('exit', ended)
      resolve(end)
    })
    worker.send(block)
  })
}

function keep({ block, tally, shown }: BlockEnd): void {
  const known = (done.scenes[block.name] ??= emptyTally())
  addTally(known, tally)
  ;(done.blocks[block.name] ??= []).push(block.seed)
  mkdirSync(dirname(given.out), { recursive: true })
  writeFileSync(`${given.out}.new`, JSON.stringify(done, null, 2))
  renameSync(`${given.out}.new`, given.out)
  for (const text of shown) say(text)
  const left = open.length
  const minutes = ((performance.now() - beganAtMs) / 60_000).toFixed(1)
  say(
    `${minutes} min, ${total - left} of ${total} blocks: ${block.name} ${known.runs} runs, ${known.violations.length} violations`,
  )
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
