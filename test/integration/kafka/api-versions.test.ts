/** Every request of the adapter is still spoken by this broker: kafkajs looks at a broker's highest version, never at its lowest. */
import { describe, expect, it } from 'vitest'
import { apiKeys, requests } from '../../../runtime/adapters/kafka/kafkajs-internals.ts'
import { kafkaConnection } from '../../../runtime/adapters/kafka/connection.ts'
import { silentLogger } from '../../../runtime/ports/logger.ts'
import { brokers } from './harness.ts'

const USED = [
  ...['Produce', 'Fetch', 'ListOffsets', 'Metadata', 'OffsetCommit', 'OffsetFetch', 'GroupCoordinator', 'JoinGroup'],
  ...['Heartbeat', 'LeaveGroup', 'SyncGroup', 'DescribeGroups', 'SaslHandshake', 'ApiVersions', 'CreateTopics'],
  ...['InitProducerId', 'DescribeConfigs', 'SaslAuthenticate', 'CreatePartitions'],
]

describe('API versions', async () => {
  const cluster = kafkaConnection({ brokers, clientId: 'versions', logger: silentLogger }).newCluster()
  await cluster.connect()
  const broker = (await cluster.brokerPool.findConnectedBroker()) as unknown as { readonly versions: Versions }
  const { versions } = broker
  await cluster.disconnect()

  it.each(USED)('%s', (api) => {
    const range = versions[String(apiKeys[api])]
    const ours = requests[api]?.versions.map(Number) ?? []
    expect(
      ours.some((version) => version >= (range?.minVersion ?? Infinity) && version <= (range?.maxVersion ?? -1)),
    ).toBe(true)
  })

  it('knows the versions that are written and read by our own code', () => {
    for (const [api, version] of [
      ['Produce', 7],
      ['Fetch', 11],
      ['IncrementalAlterConfigs', 0],
    ] as const) {
      const range = versions[String(apiKeys[api])]
      expect(range?.minVersion, api).toBeLessThanOrEqual(version)
      expect(range?.maxVersion, api).toBeGreaterThanOrEqual(version)
    }
  })
})

type Versions = Readonly<Record<string, { readonly minVersion: number; readonly maxVersion: number }>>
