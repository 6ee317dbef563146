/** Ends memberships behind the members' backs, as a broker does after a session time-out: they leave, said somebody else. */
import { kafkaConnection } from '../../runtime/adapters/kafka/connection.ts'
import { silentLogger } from '../../runtime/ports/logger.ts'

interface Coordinator {
  describeGroups(request: {
    groupIds: string[]
  }): Promise<{ groups: { members: { memberId: string; clientId: string }[] }[] }>
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>
}

/** Expels the members of one client, or all; names are those on the broker. */
export async function expelMembers(brokers: readonly string[], groupId: string, clientId?: string): Promise<void> {
  const cluster = kafkaConnection({ brokers, clientId: 'expeller', logger: silentLogger }).newCluster()
  try {
    await cluster.connect()
    await cluster.brokerPool.refreshMetadata([])
    const coordinator = (await cluster.findGroupCoordinator({ groupId })) as unknown as Coordinator
    const { groups } = await coordinator.describeGroups({ groupIds: [groupId] })
    const members = groups.flatMap((group) => group.members)
    for (const member of members) {
      if (clientId !== undefined && member.clientId !== clientId) continue
      await coordinator.leaveGroup({ groupId, memberId: member.memberId })
    }
  } finally {
    await cluster.disconnect()
  }
}
