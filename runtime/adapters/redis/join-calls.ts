/** Arguments and answers of the join script. */
import type { JoinAnswer, JoinRequest } from '../../ports/claim-store.ts'
import type { Part } from './batches.ts'
import type { AgentKeys } from './keys.ts'
import { decodeMember, encodeMember } from './members.ts'
import type { Reply } from './scripts.ts'

const RESULTS = ['recorded', 'already', 'late'] as const
const INCOMPLETE = 0
const COMPLETE = 1

/** One member as a part of a call. */
export function memberPart({ flowId, member }: JoinRequest, epochKey: string, keys: AgentKeys): Part {
  const value = encodeMember(member)
  return { epochKey, keys: [keys.join(flowId)], args: [member.topic, value], bytes: value.length }
}

/** The topics that a join waits for, preceded by their number. */
export function topicArguments(topics: readonly string[]): readonly (string | number)[] {
  return [topics.length, ...topics]
}

/** @throws LABAN_FORMAT_TOO_NEW when a member was stored by a newer laban */
export function decodeAnswer(topics: readonly string[], reply: Reply): JoinAnswer {
  const [code, progress, ...parts] = reply as readonly [number, number | Buffer, ...Buffer[]]
  if (typeof progress === 'object') throwForForeign(progress)
  const result = RESULTS[code - 1] ?? 'late'
  if (progress === INCOMPLETE) {
    const named = new Set(parts.map(String))
    return { result, have: topics.filter((topic) => named.has(topic)) }
  }
  if (progress !== COMPLETE) return { result, have: topics }
  return { result, have: topics, members: parts.map((value, index) => decodeMember(topics[index] ?? '', value)) }
}

/** The script answers with the value itself when its version is not ours: decoding it says so. */
function throwForForeign(value: Buffer): void {
  decodeMember('', value)
}
