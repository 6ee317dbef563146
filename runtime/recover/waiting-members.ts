/** Members of joins that wait for others, as `<agent>.waiting` tells it. The first event of a topic stays, as it did before. */
import { agentTopic } from '../../contracts/contract.ts'
import { joinHandlingId } from '../../contracts/ids.ts'
import type { Agent } from '../agent.ts'
import { readWaiting } from '../admit/member-format.ts'
import type { LogScan, Origin } from './log-scan.ts'
import type { PutBack } from './put-back.ts'

/** Puts back the members recorded since `origin`, or since the last time, of joins that have not fired. */
export async function putBackMembers(agent: Agent, scan: LogScan, putBack: PutBack, origin: Origin): Promise<void> {
  if (!agent.isJoin) return
  await scan.each(agentTopic(agent.name, 'waiting'), origin, async (piece) => {
    const found = piece.flatMap((record) => readWaiting(record) ?? [])
    const refs = found.map(({ flowId }) => ({ flowId, handlingId: joinHandlingId(agent.name, flowId) }))
    const states = await putBack.states(refs)
    const open = found.filter((_, index) => states[index]?.state !== 'done')
    await putBack.members(open.map(({ flowId, member }) => ({ flowId, member, isDone: false })))
  })
}
