/**
 * `npm run trial -- new-version [handlings]`: a version with one step more takes over while so many handlings hang in their charge.
 * The old process is told to end and gives its work up; every handling ends once, and no step of it runs again.
 */
import { StepTrial } from '../e2e/agents/step-deaths.ts'
import { waitFor } from '../harness/wait.ts'

const HANDLINGS = Number(process.argv[2] ?? 500)
const AGENT = 'trial.stepper-versions'
const PATIENCE_MS = 120_000

let isOpen = false
const env = { LABAN_DRAIN_TIMEOUT_MS: '1000' }
const trial = await StepTrial.make([AGENT], env, ({ what }) => what !== 'charge' || isOpen)
try {
  const old = await trial.start('never', [AGENT])
  await trial.publish(HANDLINGS)
  const areHeld = (): boolean => trial.services.count('charge', AGENT) === HANDLINGS
  await waitFor(areHeld, { timeoutMs: PATIENCE_MS, what: 'every handling to be at its charge' })
  isOpen = true
  const hasEnded = new Promise((resolve) => old.once('exit', resolve))
  old.kill('SIGTERM')
  await trial.start('never', [AGENT], '2.0.0')
  await hasEnded
  const isThrough = async (): Promise<boolean> =>
    (await trial.facts()).filter(({ agent, outcome }) => agent === AGENT && outcome === 'completed').length >= HANDLINGS
  await waitFor(isThrough, { timeoutMs: PATIENCE_MS, what: 'every handling to complete' })
  const facts = (await trial.facts()).filter(({ agent }) => agent === AGENT)
  const byOutcome = [...Map.groupBy(facts, ({ outcome }) => outcome)]
  const outcomes = Object.fromEntries(byOutcome.map(([outcome, of]) => [outcome, of.length]))
  const calls = ['model', 'charged', 'record', 'thank'].map((what) => `${what} ${trial.services.count(what, AGENT)}`)
  const done = `${trial.services.done('charge', AGENT)} charges, ${trial.services.done('record', AGENT)} records`
  process.stdout.write(`${HANDLINGS} handlings: ${JSON.stringify(outcomes)}; calls: ${calls.join(', ')}; ${done}\n`)
  const isRight =
    trial.services.count('model', AGENT) === HANDLINGS && trial.services.count('thank', AGENT) === HANDLINGS
  process.exitCode = isRight && trial.services.done('charge', AGENT) === HANDLINGS ? 0 : 1
} finally {
  await trial.close()
}
