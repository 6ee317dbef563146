/**
 * Runs code outside of any caller's async context. Sockets and timers keep the context of whoever made them for as long as they
 * live, so a connection opened inside a handler would hold that handler's span and locals until the process ends.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** Calls `work` in the (empty) async context in which this module was loaded. */
export const outsideContext: <T>(work: () => T) => T = AsyncLocalStorage.snapshot()
