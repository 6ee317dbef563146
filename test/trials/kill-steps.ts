/**
 * `npm run trial -- kill-steps`: a handler with a model call, a charge and a record is killed before and after each of its calls of a
 * port and of the services outside, one process for each point. Prints what each death has led to; exits 1 on a violation.
 */
import { dieAtPoints, type StepDeath } from '../e2e/agents/step-deaths.ts'

/** Calls of a port in one handling, from its claim to the commit. */
const PORT_CALLS = 16
const SIDE_BY_SIDE = 8
const SESSION_MS = 6_000

const inside = Array.from({ length: PORT_CALLS }, (_, index) => [`before:${index + 1}`, `after:${index + 1}`]).flat()
const outside = ['model', 'charge', 'record'].flatMap((call) => [`received:${call}`, `answered:${call}`])
const points = [...outside, ...inside]

const deaths: StepDeath[] = []
for (let at = 0; at < points.length; at += SIDE_BY_SIDE) {
  for (const death of await dieAtPoints(points.slice(at, at + SIDE_BY_SIDE), SESSION_MS)) {
    deaths.push(death)
    const verdict = death.violations.length === 0 ? 'ok' : death.violations.join('; ')
    process.stdout.write(`${death.point.padEnd(18)} ${death.modelCalls} calls of the model  ${verdict}\n`)
  }
}
const broken = deaths.filter(({ violations }) => violations.length > 0)
const twice = deaths.filter(({ modelCalls }) => modelCalls > 1).map(({ point }) => point)
process.stdout.write(
  `${deaths.length} points, ${broken.length} violated; the model was called twice at ${twice.join(', ')}\n`,
)
process.exitCode = broken.length === 0 ? 0 : 1
