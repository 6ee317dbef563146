/** Whatever is asked of the store in memory, in whatever order, it answers like the model. */
import { describe, it } from 'vitest'
import { createMemoryStore } from '../../runtime/adapters/memory/store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { compareWithModel } from './store-calls.ts'

describe('store in memory', () => {
  it('answers random calls like the model', () =>
    compareWithModel(() => createMemoryStore({ clock: systemClock }), 300))
})
