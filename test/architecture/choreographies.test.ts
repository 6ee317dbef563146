/** The choreographies of this project fit together, as far as that shows without running them. */
import { describe, expect, it } from 'vitest'
import { runLaban } from '../harness/run-laban.ts'

describe('the choreographies under services/', () => {
  it('are sound, without a warning', { timeout: 60_000 }, async () => {
    expect(await runLaban(['check', '--strict'])).toMatchObject({ code: 0, stdout: '' })
  })
})
