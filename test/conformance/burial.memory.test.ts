/** Deaths around dead letters, on the store in memory. */
import { createMemoryStore } from '../../runtime/adapters/memory/store.ts'
import { systemClock } from '../../runtime/ports/clock.ts'
import { describeBurials } from './burial.suite.ts'

describeBurials('memory', () => createMemoryStore({ clock: systemClock }))
