/**
 * `npm run trial -- takeover [kills]`: time from kill -9 to the run of the same work by another process, at the default lease and
 * session time-out of 10 s. Four pairs of processes side by side; the survivor is never restarted.
 */
import { StepTrial } from '../e2e/agents/step-deaths.ts'
import { waitFor } from '../harness/wait.ts'

const KILLS = Number(process.argv[2] ?? 24)
const LANES = 4
const EVENTS = 8
const PATIENCE_MS = 90_000

const names = Array.from({ length: LANES }, (_, lane) => `trial.stepper-lane-${lane}`)
const victims = new Map<string, number>()
const killedAtMs = new Map<string, number>()
const takenMs: number[] = []
/** Calls of victims, by agent and event. */
const held = new Map<string, number>()
let published = 0

/** A victim is never answered; a survivor at once. */
const trial = await StepTrial.make(names, {}, ({ what, agent, key, pid, atMs }) => {
  if (what !== 'model') return true
  if (victims.get(agent) === pid) {
    held.set(`${agent}/${key}`, pid)
    return false
  }
  const begunBy = held.get(`${agent}/${key}`)
  const since = killedAtMs.get(agent)
  if (begunBy !== undefined && since !== undefined) takenMs.push(atMs - since)
  held.delete(`${agent}/${key}`)
  return true
})
await trial.start('never', names)

for (let round = 0; round * LANES < KILLS; round++) {
  const children = await Promise.all(names.map((name) => trial.start('never', [name])))
  children.forEach((child, lane) => victims.set(names[lane] ?? '', child.pid ?? -1))
  const areMembers = async (): Promise<boolean> => {
    const groups = await Promise.all(names.map((name) => trial.log.broker.admin.describeGroup(name)))
    return groups.every(({ state, members }) => state === 'Stable' && members === 2)
  }
  await waitFor(areMembers, { timeoutMs: PATIENCE_MS, what: 'both of each pair to be members' })
  await trial.publish(EVENTS, published)
  published += EVENTS
  const holds = (name: string): boolean => [...held.keys()].some((key) => key.startsWith(`${name}/`))
  await waitFor(() => names.every(holds), { timeoutMs: PATIENCE_MS, what: 'every victim to be at work' })
  // At any moment between two renewals of the lease.
  await Promise.all(
    children.map(async (child, lane) => {
      const untilMs = performance.now() + 1_000 + Math.random() * 3_333
      await waitFor(() => performance.now() > untilMs, { timeoutMs: 6_000 })
      killedAtMs.set(names[lane] ?? '', performance.now())
      child.kill('SIGKILL')
    }),
  )
  await waitFor(() => held.size === 0, { timeoutMs: PATIENCE_MS, what: 'all work of the dead to run again' })
  process.stdout.write(`round ${round + 1}: ${takenMs.length} handlings taken over so far\n`)
}
const sorted = takenMs.toSorted((a, b) => a - b)
const seconds = (share: number): string => ((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) / 1_000).toFixed(2)
const kills = Math.ceil(KILLS / LANES) * LANES
process.stdout.write(
  `${kills} kills, ${sorted.length} handlings: p50 ${seconds(0.5)} s, p99 ${seconds(0.99)} s, longest ${seconds(1)} s\n`,
)
await trial.close()
