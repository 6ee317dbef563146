/** `laban contracts check|push` and `laban topics apply` as processes against the real registry and broker. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConfluentRegistry } from '../../../contracts/registry-confluent.ts'
import { contractsOf, loadConfig, ownTopics } from '../../../runtime/internal.ts'
import agent from '../../../services/credit/fraud-detection.ts'
import { copyContracts, type ContractsCopy } from '../../harness/contracts-copy.ts'
import { stackAddress } from '../../harness/real-stack.ts'
import { runLaban } from '../../harness/run-laban.ts'
import { uniqueName } from '../../harness/unique-name.ts'

const FRAUD = 'avro/credit/fraud-checked.avsc'
const namespace = uniqueName('contracts-cli')
const registryUrl = await stackAddress('registryUrl')
const brokers = await stackAddress('brokers')
let contracts: ContractsCopy

beforeAll(() => {
  contracts = copyContracts()
})
afterAll(() => contracts.remove())

const laban = (...args: string[]): ReturnType<typeof runLaban> => {
  const env = {
    LABAN_CONTRACTS_DIR: contracts.dir,
    LABAN_NAMESPACE: namespace,
    LABAN_REGISTRY_URL: registryUrl,
    LABAN_BROKERS: brokers.join(','),
  }
  return runLaban(args, { env })
}

/** Dead letters, journal and so on of the one agent. */
const OWN_TOPICS = ownTopics([agent], contractsOf(loadConfig({ environment: {} }).config)).length
/** Facts and agents: their limits are not those of the table's defaults. */
const PLATFORM_TOPICS = 2

describe('laban contracts push and check', () => {
  const subject = `${namespace}.credit.fraud-checked-value`
  const registry = createConfluentRegistry({ url: registryUrl })

  it('registers under the namespace, once', async () => {
    const first = await laban('contracts', 'push')
    expect(first).toMatchObject({ code: 0 })
    expect(first.stdout).toContain(`${subject}  id `)
    expect(first.stderr).toContain(`${contracts.count} registered, 0 unchanged`)
    expect((await laban('contracts', 'push')).stderr).toContain(`0 registered, ${contracts.count} unchanged`)
    expect(await registry.versions(subject)).toHaveLength(1)
    const config = await fetch(`${registryUrl}/config/${subject}`)
    expect(await config.json()).toMatchObject({ compatibilityLevel: 'FULL_TRANSITIVE' })
  })

  it('registers a compatible version and records it as released', async () => {
    contracts.addField(FRAUD, { name: 'model', type: 'string', default: '' })
    expect(await laban('contracts', 'check')).toMatchObject({ code: 0 })
    const pushed = await laban('contracts', 'push', '--release')
    expect(pushed.stderr).toContain(`1 registered, ${contracts.count - 1} unchanged`)
    expect(existsSync(join(contracts.dir, 'history', 'credit.fraud-checked', 'v2.avsc'))).toBe(true)
    expect(await registry.versions(subject)).toHaveLength(2)
  })

  it('finds what the registry would refuse, although the folder knows nothing of it, and pushes nothing', async () => {
    const elsewhere = JSON.stringify({
      type: 'record',
      name: 'credit.FraudChecked',
      fields: [{ name: 'risk', type: 'string', default: '' }],
    })
    const other = `${namespace}.other.credit.fraud-checked-value`
    await registry.register(other, elsewhere)
    const check = await laban('contracts', 'check', '--namespace', `${namespace}.other`)
    expect(check.code).toBe(65)
    expect(check.stdout).toMatch(/credit\.fraud-checked {2}risk: .* \(backward, version 1 in the registry\)/)
    const push = await laban('contracts', 'push', '--namespace', `${namespace}.other`)
    expect(push.code).toBe(65)
    expect(push.stderr).toContain('LABAN_CONTRACT_INCOMPATIBLE')
    expect(await registry.versions(other)).toHaveLength(1)
  })

  it('says which registry cannot be reached', async () => {
    const { code, stderr } = await laban('contracts', 'check', '--set', 'registry.url=http://127.0.0.1:1')
    expect(code).toBe(69)
    expect(stderr).toContain('LABAN_REGISTRY_UNAVAILABLE: Schema registry http://127.0.0.1:1 cannot be reached')
  })
})

describe('laban topics apply', () => {
  const apply = (...args: string[]): ReturnType<typeof runLaban> => {
    return laban('topics', 'apply', 'services/credit/fraud-detection', ...args)
  }

  it('shows what it would do, does it, and then has nothing to do', async () => {
    const shown = await apply('--dry-run')
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.stdout).toContain('+ credit.fraud-checked  1 partitions, replication 1')
    expect(shown.stdout).toContain('+ credit.fraud-detection.dead-letter')
    expect(shown.stderr).toContain(`${contracts.count + OWN_TOPICS} to create`)
    expect((await apply()).stderr).toContain(`${contracts.count + OWN_TOPICS} created, 0 configured, 0 grown`)
    const again = await apply()
    expect(again.stdout).toBe('')
    expect(again.stderr).toContain('0 created, 0 configured, 0 grown')
  })

  it('changes settings with a warning where records would go', async () => {
    const topics = (table: Readonly<Record<string, unknown>>): object => ({
      ...table,
      defaults: { partitions: 1, retention: '1d' },
    })
    contracts.edit('topics.json', topics)
    const { stdout, stderr } = await apply()
    expect(stdout).toContain('~ credit.fraud-checked  retention.ms 604800000 -> 86400000')
    expect(stdout).toContain('warning: records older than the new retention are deleted')
    expect(stderr).toContain(`0 created, ${contracts.count - PLATFORM_TOPICS} configured`)
    expect((await apply()).stdout).toBe('')
  })

  it('adds partitions only when it is told to, and where order is kept only with --drain', async () => {
    contracts.edit('topics.json', (table) => ({ ...table, defaults: { partitions: 2, retention: '1d' } }))
    const held = await apply()
    expect(held.stdout).toContain('~ credit.fraud-checked  partitions 1 -> 2  (only with --add-partitions)')
    expect(held.stdout).toContain('~ credit.application-received  partitions 1 -> 2  (only with --drain)')
    expect(held.stdout).toContain('warning: keys move to other partitions')
    expect(held.stderr).toContain('0 grown')
    const refused = await apply('--add-partitions')
    expect(refused).toMatchObject({ code: 65 })
    expect(refused.stdout).toContain('refused: credit.fraud-detection handles its events in order; stop publishing')
    expect((await apply('--dry-run')).stdout).toContain('~ credit.fraud-checked  partitions 1 -> 2')
    const { stdout: grown, stderr: done } = await apply('--drain')
    expect(done).toContain(`${grown.match(/partitions 1 -> 2$/gm)?.length ?? 0} grown`)
    expect(grown).toContain('~ credit.application-received  partitions 1 -> 2\n')
    expect(grown).toContain('~ credit.fraud-detection.dead-letter  partitions 1 -> 2\n')
    expect((await apply('--dry-run')).stderr).toContain(' 0 to grow')
    contracts.edit('topics.json', (table) => ({ ...table, defaults: { partitions: 1, retention: '1d' } }))
    const fewer = await apply()
    expect(fewer).toMatchObject({ code: 0 })
    expect(fewer.stdout).toContain(
      '! credit.fraud-checked  has 2 partitions, the contract says 1; Kafka cannot remove any',
    )
  })

  it('refuses facts that would end before their events', async () => {
    contracts.edit('topics.json', (table) => ({ ...table, defaults: { partitions: 2, retention: '60d' } }))
    const { code, stdout } = await apply()
    expect(code).toBe(65)
    expect(stdout).toContain('refused laban.facts')
    expect((await apply('--dry-run')).stdout).toContain('retention.ms 86400000 -> 5184000000')
  })
})
