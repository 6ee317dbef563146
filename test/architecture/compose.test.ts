/** The Compose file says the same as the settings of the native stack: versions, ports, flags, and one container per credit agent. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findDisagreements } from '../../infra/stack/compose-check.ts'

const text = readFileSync(join(import.meta.dirname, '..', '..', 'docker-compose.yml'), 'utf8')

describe('docker-compose.yml', () => {
  it('agrees with the settings of the native stack', () => {
    expect(findDisagreements(text)).toEqual([])
  })

  it('would be found out', () => {
    expect(findDisagreements(text.replaceAll('4.1.0', '3.9.0'))).not.toEqual([])
  })
})
