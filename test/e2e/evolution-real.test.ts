/**
 * Contracts that change while agents run: old and new versions side by side in both deploy orders, and changes that would break
 * somebody stopped before they are deployed.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAllFlows, readValues } from '../../runtime/internal.ts'
import { countRecords, Deployment, type AgentProcess, type OpenLog } from '../harness/processes.ts'
import { stackAddress } from '../harness/real-stack.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { waitFor } from '../harness/wait.ts'
import { KEEPER, KEPT, ORDERS, TELLER, writeShopContracts, type ShopEvent } from './agents/shop.ts'

type Version = 'old' | 'new'

const BATCH = 24
const INCOMPATIBLE = 65
const UNAVAILABLE = 69

/** A shop whose contracts are registered in both versions, the old one first. */
class Shop {
  readonly deployment: Deployment
  readonly log: OpenLog
  readonly #dirs: Readonly<Record<Version, string>>
  #published = 0

  private constructor(deployment: Deployment, log: OpenLog, dirs: Readonly<Record<Version, string>>) {
    this.deployment = deployment
    this.log = log
    this.#dirs = dirs
  }

  static async open(folder: string): Promise<Shop> {
    const dirs = { old: writeShopContracts(folder, 'old'), new: writeShopContracts(folder, 'new') }
    const deployment = await Deployment.make('shop', { agents: [TELLER, KEEPER], contractsDir: dirs.old })
    const shop = new Shop(deployment, await deployment.open(), dirs)
    for (const command of ['check', 'push']) {
      const { code, stderr } = await deployment.laban(['contracts', command], { env: shop.#env('new') })
      expect(code, stderr).toBe(0)
    }
    return shop
  }

  #env(version: Version): Readonly<Record<string, string>> {
    return { LABAN_CONTRACTS_DIR: this.#dirs[version], SHOP_VERSION: version }
  }

  async start(file: string, version: Version): Promise<AgentProcess> {
    const process = this.deployment.start([file], this.#env(version))
    await process.ready
    return process
  }

  /** Publishes a batch with the contracts of one version, and waits until every order of it has been kept. */
  async trade(version: Version): Promise<void> {
    const file = join(this.deployment.folder, `orders-${this.#published}.jsonl`)
    const field = version === 'old' ? { coupon: 'five' } : { currency: 'CHF' }
    const orders = Array.from({ length: BATCH }, (_, index) => ({ number: this.#published + index, ...field }))
    this.#published += BATCH
    writeFileSync(file, orders.map((order) => `${JSON.stringify(order)}\n`).join(''))
    const args = ['publish', ORDERS, '--file', file, '--id', 'number', '--on', 'kafka']
    const { code, stderr } = await this.deployment.laban(args, { env: this.#env(version) })
    expect(code, stderr).toBe(0)
    const isKept = async (): Promise<boolean> => (await countRecords(this.log, [KEPT])) >= this.#published
    await waitFor(isKept, { timeoutMs: 30_000, what: `${this.#published} kept orders` })
  }

  /** What was kept, as text. */
  async kept(): Promise<readonly string[]> {
    const texts: string[] = []
    for await (const { value } of readValues(this.log, KEPT)) texts.push((value as ShopEvent).text)
    return texts
  }

  async close(): Promise<void> {
    await this.deployment.stop()
    await this.log.close()
  }
}

describe('a field that is added and one that is removed, both with defaults', () => {
  it.each([
    ['producers first', [TELLER, KEEPER]],
    ['consumers first', [KEEPER, TELLER]],
  ])(
    '%s: old and new agents work side by side, and every flow completes',
    async (_order, [first = '', second = '']) => {
      const shop = await Shop.open(await temporaryFolder())
      try {
        const old = await Promise.all([shop.start(first, 'old'), shop.start(second, 'old')])
        await shop.trade('old')
        for (const [index, file] of [first, second].entries()) {
          // Both versions are members of one group: each has some of the partitions.
          await shop.start(file, 'new')
          await shop.trade('old')
          await shop.trade('new')
          expect(await old[index]?.end('SIGTERM')).toMatchObject({ code: 0 })
          await shop.trade('old')
        }
        await shop.trade('new')

        const kept = await shop.kept()
        expect(kept).toHaveLength(8 * BATCH)
        const said = new Set(kept.flatMap((text) => text.split('; ')))
        // Each version has read what the other wrote: what it does not know is left out, what is not there has its default.
        const expected = ['coupon=five', 'coupon=none'].map((field) => `old teller saw ${field}`)
        expected.push(...['currency=CHF', 'currency=EUR'].map((field) => `new teller saw ${field}`))
        expected.push('old keeper saw coupon=ten', 'new keeper saw currency=USD')
        expected.push(first === TELLER ? 'old keeper saw coupon=none' : 'new keeper saw currency=EUR')
        for (const what of expected) expect(said).toContain(what)
        expect([...said].filter((what) => /undefined|saw $/.test(what))).toEqual([])

        await shop.deployment.stop()
        for await (const { flowId, status, completeness } of readAllFlows({ ...shop.log, fromLog: true })) {
          expect({ flowId, status, complete: completeness.complete }).toEqual({
            flowId,
            status: 'completed',
            complete: true,
          })
        }
      } finally {
        await shop.close()
      }
    },
  )
})

describe('a change that would break somebody', () => {
  it('is found in the folder and in the registry, before anything is pushed; the registry refuses it too', async () => {
    const folder = await temporaryFolder()
    const contractsDir = writeShopContracts(folder, 'old')
    const deployment = await Deployment.plan('shop', { contractsDir })
    try {
      expect(await deployment.laban(['contracts', 'push', '--release'])).toMatchObject({ code: 0 })
      const broken = { env: { LABAN_CONTRACTS_DIR: writeShopContracts(folder, 'broken') } }
      const inRegistry = await deployment.laban(['contracts', 'check'], broken)
      expect(inRegistry.code).toBe(INCOMPATIBLE)
      expect(inRegistry.stdout).toMatch(/^shop\.order-placed {2}number: .*\(backward, version 1 in the registry\)$/m)
      expect(inRegistry.stdout).toMatch(
        /^-> \S+\/shop\/order-placed\.avsc: Give added fields a default, .*order-placed\.v2/m,
      )

      const history = join(folder, 'broken', 'history', ORDERS)
      mkdirSync(history, { recursive: true })
      const { schemaText } = await deployment.open().then(async (log) => {
        await log.close()
        return log.contracts.get(ORDERS)
      })
      writeFileSync(join(history, 'v1.avsc'), schemaText)
      const inFolder = await deployment.laban(['contracts', 'check', '--offline'], broken)
      expect(inFolder.code).toBe(INCOMPATIBLE)
      expect(inFolder.stdout).toMatch(/^shop\.order-placed {2}number: .*version 1 in the history\)$/m)
      const pushed = await deployment.laban(['contracts', 'push'], broken)
      expect(pushed.code).toBe(INCOMPATIBLE)
      expect(pushed.stderr).toContain('LABAN_CONTRACT_INCOMPATIBLE: Contract of shop.order-placed is incompatible')

      const subject = `${await stackAddress('registryUrl')}/subjects/${deployment.namespace}.${ORDERS}-value/versions`
      const schema = schemaText.replace('"int"', '"string"')
      const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
      const answer = await fetch(subject, { method: 'POST', headers, body: JSON.stringify({ schema }) })
      expect(answer.status).toBe(409)
      expect(await (await fetch(subject)).json()).toEqual([1])
    } finally {
      await deployment.stop()
    }
  })

  it('and one that was never pushed stops the agent at its start', async () => {
    const folder = await temporaryFolder()
    const contractsDir = writeShopContracts(folder, 'old')
    const deployment = await Deployment.make('shop', { agents: [TELLER], contractsDir })
    try {
      const env = { LABAN_CONTRACTS_DIR: writeShopContracts(folder, 'new') }
      const { code, stderr } = await deployment.laban(['run', TELLER], { env })
      expect(code).toBe(UNAVAILABLE)
      expect(stderr).toMatch(/LABAN_SCHEMA_MISSING: The contract of shop\.order-\w+ is not registered under subject /)
      expect(stderr).toMatch(/next +laban contracts push/)
    } finally {
      await deployment.stop()
    }
  })
})
