/**
 * The assignor `laban-sticky`: what a member owns travels in its subscription, and the leader moves as little as balance allows.
 * A move costs a redelivery, so balance means: within each topic, then in total, nobody has more than one partition too many.
 */
import type { Assigner, PartitionAssigner } from 'kafkajs'
import { AssignerProtocol, type InternalCluster } from './kafkajs-internals.ts'
import { assignSticky, type StickyMember } from './sticky-assignment.ts'

/** What this member held last, and in which generation. */
export interface Ownership {
  readonly generation: number
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
}

const NAME = 'laban-sticky'
const FORMAT_VERSION = 1

/** Makes the assignor; `onCluster` gets kafkajs's connections of the consumer that it is made for. */
export function stickyAssigner(
  ownership: () => Ownership | undefined,
  onCluster: (cluster: InternalCluster) => void,
): PartitionAssigner {
  return ({ cluster: publicCluster }): Assigner => {
    const cluster = publicCluster as unknown as InternalCluster
    onCluster(cluster)
    return {
      name: NAME,
      version: FORMAT_VERSION,
      protocol: ({ topics }) => ({
        name: NAME,
        metadata: AssignerProtocol.MemberMetadata.encode({
          version: FORMAT_VERSION,
          topics,
          userData: encodeOwnership(ownership()),
        }),
      }),
      async assign({ members }) {
        const decoded = members.map(({ memberId, memberMetadata }) => decodeMember(memberId, memberMetadata))
        const partitions = await partitionsOf(cluster, new Set(decoded.flatMap(({ topics }) => [...topics])))
        return [...assignSticky(decoded, partitions)].map(([memberId, assignment]) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: FORMAT_VERSION,
            assignment: Object.fromEntries([...assignment].map(([topic, list]) => [topic, [...list]])),
            userData: Buffer.alloc(0),
          }),
        }))
      },
    }
  }
}

/** Members may subscribe to topics that the leader does not know: those are looked up without becoming the leader's own. */
async function partitionsOf(
  cluster: InternalCluster,
  topics: ReadonlySet<string>,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const topic of topics) counts.set(topic, cluster.findTopicPartitionMetadata(topic).length)
  const unknown = [...topics].filter((topic) => counts.get(topic) === 0)
  for (const topic of unknown) {
    try {
      const broker = await cluster.brokerPool.findConnectedBroker()
      const { topicMetadata } = await broker.metadata([topic])
      counts.set(topic, topicMetadata[0]?.partitionMetadata.length ?? 0)
    } catch {
      // A topic that its subscribers cannot see either: they fail by themselves, all others get their partitions.
    }
  }
  return counts
}

function decodeMember(id: string, metadata: Buffer): StickyMember {
  const decoded = AssignerProtocol.MemberMetadata.decode(metadata)
  return { id, topics: new Set(decoded?.topics ?? []), ...decodeOwnership(decoded?.userData) }
}

function encodeOwnership(ownership: Ownership | undefined): Buffer {
  const topics: Record<string, number[]> = {}
  for (const { topic, partition } of ownership?.partitions ?? []) (topics[topic] ??= []).push(partition)
  return Buffer.from(JSON.stringify({ version: FORMAT_VERSION, generation: ownership?.generation ?? -1, topics }))
}

/** Unreadable or foreign data means that the member owns nothing: it costs a move, never a wrong assignment. */
function decodeOwnership(userData: Buffer | undefined): Pick<StickyMember, 'generation' | 'owned'> {
  const nothing = { generation: -1, owned: new Map<string, readonly number[]>() }
  if (userData === undefined || userData.length === 0) return nothing
  try {
    const { version, generation, topics } = JSON.parse(userData.toString()) as Record<string, unknown>
    if (version !== FORMAT_VERSION || typeof generation !== 'number') return nothing
    return { generation, owned: new Map(Object.entries(topics as Record<string, number[]>)) }
  } catch {
    return nothing
  }
}
