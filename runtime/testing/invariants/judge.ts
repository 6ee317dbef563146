/** All invariants of the protocol that a finished run is judged by, from the log and the commits alone. */
import { accounted } from './accounted.ts'
import { oneContent } from './contents.ts'
import { orderFree } from './fold.ts'
import type { Finding, History } from './history.ts'
import { joinedOnce } from './joins.ts'
import { honestOffsets } from './offsets.ts'
import { inOrder } from './order.ts'
import { oneOwner } from './owners.ts'
import { redrivenOnce } from './redrives.ts'
import { stepsOnce } from './steps.ts'

const CHECKS: readonly ((history: History) => Finding[])[] = [
  ...[accounted, oneContent, inOrder, oneOwner, joinedOnce],
  ...[stepsOnce, honestOffsets, orderFree, redrivenOnce],
]

/** Everything that is wrong; empty when all is well. The run must have come to rest. */
export function judge(history: History): Finding[] {
  return CHECKS.flatMap((check) => check(history))
}
