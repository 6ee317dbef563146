/** Records released schemas in the contracts folder: what later versions must stay compatible with. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContractSet } from '../contracts/index.ts'

/**
 * Writes `history/<topic>/v<n>.avsc` for every contract that differs from its newest released version, and returns the
 * files. The platform's own topics are recorded only in a checkout of laban itself.
 */
export async function recordRelease(contracts: ContractSet, contractsDir: string): Promise<readonly string[]> {
  const platformDir = join(contractsDir, 'platform')
  const written: string[] = []
  for (const { name, schema, schemaText } of contracts.topics.values()) {
    const isPlatform = name.startsWith('laban.')
    if (isPlatform && !existsSync(platformDir)) continue
    const newest = contracts.history(name).at(-1)
    if (newest?.schemaText === schemaText) continue
    const dir = join(isPlatform ? platformDir : contractsDir, 'history', name)
    const file = join(dir, `v${(newest?.version ?? 0) + 1}.avsc`)
    await mkdir(dir, { recursive: true })
    await writeFile(file, `${JSON.stringify(schema, null, 2)}\n`, { flag: 'wx' })
    written.push(file)
  }
  return written
}
