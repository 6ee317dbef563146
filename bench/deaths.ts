/** `npm run bench -- deaths`: a process is killed at every point of the way of its records, and one is frozen; see docs/design/kafkajs.md. */
import { parseArgs } from 'node:util'
import { DEATH_POINTS } from '../test/e2e/agents/death-points.ts'
import { DeathTrial, type DeathReport } from '../test/e2e/agents/death-trial.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000' },
    frozen: { type: 'string', default: '60' },
    only: { type: 'string' },
  },
})
const events = Number(values.events)
const trial = await DeathTrial.make(6_000)
let isWrong = false
try {
  for (const point of values.only === 'frozen' ? [] : DEATH_POINTS)
    tell(`killed ${point}`, await trial.die(point, events))
  tell(`frozen for ${values.frozen} s`, await trial.freeze(Number(values.frozen) * 1_000, events))
} finally {
  await trial.close()
}
process.exitCode = isWrong ? 1 : 0

function tell(what: string, { inFlight, reruns, copies, violations }: DeathReport): void {
  console.log(
    `${what}: ${inFlight} begun there, ${reruns} ran again, ${copies} copies in all, ${violations.length} violations`,
  )
  for (const violation of violations.slice(0, 3)) console.log(`  ${violation}`)
  isWrong ||= violations.length > 0
}
