/** Which handlings have ended, as the facts of the agent tell it: nothing that has a fact of its end runs again. */
import type { EventCodec } from '../../contracts/codec.ts'
import { FACTS_TOPIC } from '../../contracts/contract.ts'
import { FACT_FORMAT_VERSION, type Fact, type FactOutcome } from '../../contracts/fact.ts'
import type { Agent } from '../agent.ts'
import type { RestoredHandling, RestoredMember } from '../ports/recovery-store.ts'
import { decodeRecord } from '../readback/platform-records.ts'
import type { LogScan, Origin, ScannedRecord } from './log-scan.ts'
import type { PutBack } from './put-back.ts'

export interface EndedOptions {
  readonly agent: Agent
  readonly scan: LogScan
  readonly putBack: PutBack
  readonly codec: EventCodec
  /** Told where the letter lies of which a fact tells. */
  readonly onBuried: (place: string) => void
}

/** Ends after which the state is `done`. A dead letter is told by its own topic; here it is only seen whether its fact was written. */
const ENDS: ReadonlySet<FactOutcome> = new Set<FactOutcome>(['completed', 'rejected', 'compensated', 'cancelled'])
const NO_RECORD = Buffer.alloc(0)

/** Puts back what the facts since `origin`, or since the last time, say. */
export async function putBackEnded(
  { agent, scan, putBack, codec, onBuried }: EndedOptions,
  origin: Origin,
): Promise<void> {
  await scan.each(FACTS_TOPIC, origin, async (piece) => {
    const handlings: RestoredHandling[] = []
    const members: RestoredMember[] = []
    for (const record of piece) {
      const fact = await factIn(codec, agent, record)
      if (fact?.outcome === 'dead-lettered') onBuried(fact.detail['deadLetter'] ?? '')
      if (fact === undefined || !ENDS.has(fact.outcome)) continue
      const { flowId, handlingId, inputs } = fact
      handlings.push({ flowId, handlingId, restored: { state: 'done' } })
      if (!agent.isJoin) continue
      for (const { eventId, topic, partition, offset } of inputs)
        members.push({ flowId, member: { eventId, topic, partition, offset, record: NO_RECORD }, isDone: true })
    }
    await putBack.handlings(handlings)
    await putBack.members(members)
  })
}

/** The agent's name stands in the bytes as it is: most records belong to other agents and are not decoded. */
async function factIn(codec: EventCodec, agent: Agent, record: ScannedRecord): Promise<Fact | undefined> {
  if (record.value?.includes(agent.name) !== true) return undefined
  const fact = await decodeRecord<Fact>(codec, record, record, FACT_FORMAT_VERSION)
  return fact?.agent === agent.name ? fact : undefined
}
