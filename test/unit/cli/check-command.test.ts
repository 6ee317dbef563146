/** `laban check` on the command line: findings with file and remedy, and its exit status. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyContracts, type ContractsCopy } from '../../harness/contracts-copy.ts'
import { runLaban } from '../../harness/run-laban.ts'

let contracts: ContractsCopy
beforeEach(() => {
  contracts = copyContracts()
})
afterEach(() => contracts.remove())

const laban = (...args: string[]): ReturnType<typeof runLaban> => {
  return runLaban(args, { env: { LABAN_CONTRACTS_DIR: contracts.dir } })
}

describe('laban check', { timeout: 60_000 }, () => {
  it('names code, file and remedy of what is wrong', async () => {
    const { code, stdout } = await laban('check', '--json', 'services/credit/final-approval.ts')
    expect(code).toBe(65)
    const { findings } = JSON.parse(stdout) as { findings: { code: string; file: string; remedy: string }[] }
    expect(findings.map((finding) => finding.code)).toEqual([
      'LABAN_CHECK_NO_PRODUCER',
      'LABAN_CHECK_NO_PRODUCER',
      'LABAN_CHECK_JOIN_APART',
    ])
    expect(findings.every(({ file, remedy }) => file.endsWith('/final-approval.ts') && remedy !== '')).toBe(true)
    expect(await laban('check', '--partial', 'services/credit/final-approval.ts')).toMatchObject({ code: 0 })
  })

  it('finds a contract that broke with its released versions', async () => {
    contracts.addField('avro/credit/score-calculated.avsc', { name: 'model', type: 'string' })
    const { code, stdout } = await laban('check')
    expect(code).toBe(65)
    expect(stdout).toContain('error LABAN_CONTRACT_INCOMPATIBLE')
    expect(stdout).toContain('score-calculated.avsc')
  })

  it('reports files that cannot be loaded beside the rest', async () => {
    const { code, stdout } = await laban('check', '--partial', 'services/credit/credit-score.ts', 'nowhere.ts')
    expect(code).toBe(65)
    expect(stdout).toContain('error LABAN_AGENT_NOT_FOUND  nowhere.ts')
  })
})
