/** `laban generate` and `laban contracts check --offline`: with nothing running. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyContracts, type ContractsCopy } from '../../harness/contracts-copy.ts'
import { runLaban } from '../../harness/run-laban.ts'

const SCORE = 'avro/credit/score-calculated.avsc'
let contracts: ContractsCopy
beforeEach(() => {
  contracts = copyContracts()
})
afterEach(() => contracts.remove())

const laban = (...args: string[]): ReturnType<typeof runLaban> => {
  return runLaban(args, { env: { LABAN_CONTRACTS_DIR: contracts.dir } })
}

describe('laban generate', { timeout: 60_000 }, () => {
  it('writes types, and then finds them up to date', async () => {
    expect(await laban('generate', '--check')).toMatchObject({ code: 65 })
    expect(await laban('generate')).toMatchObject({ code: 0 })
    expect(await laban('generate', '--check')).toMatchObject({ code: 0 })
    const text = readFileSync(join(contracts.dir, 'generated', 'events.ts'), 'utf8')
    expect(text).toContain("'credit.score-calculated': CreditScoreCalculated")
    contracts.addField(SCORE, { name: 'model', type: 'string', default: '' })
    const stale = await laban('generate', '--check')
    expect(stale.code).toBe(65)
    expect(stale.stderr).toContain('run laban generate')
  })

  it('names file and path of a contract that is wrong', async () => {
    contracts.addField(SCORE, { name: 'model', type: 'strnig' })
    const { code, stderr } = await laban('generate')
    expect(code).toBe(78)
    expect(stderr).toContain('score-calculated.avsc is not valid: fields.model: type credit.strnig is defined nowhere')
  })
})

describe('laban contracts check --offline', { timeout: 60_000 }, () => {
  it('accepts contracts as they were released, and a field with a default', async () => {
    expect(await laban('contracts', 'check', '--offline')).toMatchObject({ code: 0, stdout: '' })
    contracts.addField(SCORE, { name: 'model', type: 'string', default: '' })
    expect(await laban('contracts', 'check', '--offline')).toMatchObject({ code: 0 })
  })

  it('explains each incompatibility by topic, path, direction and version', async () => {
    contracts.addField(SCORE, { name: 'model', type: 'string' })
    contracts.edit('avro/credit/shared/score-band.avsc', (band) => ({
      ...band,
      symbols: ['good', 'unknown'],
      default: undefined,
    }))
    const { code, stdout } = await laban('contracts', 'check', '--offline')
    expect(code).toBe(65)
    expect(stdout).toContain(
      'credit.score-calculated  model: the writer does not have this field and it has no default (backward, version 1 in the history)',
    )
    expect(stdout).toContain('credit.score-calculated  band: the reader does not know excellent, fair, poor')
    expect(stdout).toMatch(
      /-> \S*avro\/credit\/score-calculated\.avsc: Give added fields a default, keep types, or publish the change as credit\.score-calculated\.v2\.$/m,
    )
    const json = await laban('contracts', 'check', '--offline', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({
      topics: contracts.count,
      findings: [{ path: 'band' }, { path: 'model', version: 1 }],
    })
  })
})
