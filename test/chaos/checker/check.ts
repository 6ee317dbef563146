/** One check of a run that has come to rest, by rules of its own: nothing here is shared with the runtime or with its own judge. */
import type { Choreography, History, Violation } from './history.ts'
import { everythingEnds } from './rules/ends.ts'
import { oneContent } from './rules/contents.ts'
import { joinedOnce } from './rules/joins.ts'
import { honestOffsets } from './rules/offsets.ts'
import { inOrder } from './rules/order.ts'
import { stepsOnce } from './rules/steps.ts'

/** Everything that is wrong; empty when all is well. */
export function check(choreography: Choreography, history: History): Violation[] {
  return [
    ...everythingEnds(choreography, history),
    ...oneContent(history),
    ...inOrder(choreography, history),
    ...joinedOnce(choreography, history),
    ...stepsOnce(history),
    ...honestOffsets(choreography, history),
  ]
}
