/**
 * Guard against kafkajs's request queue, which re-arms a timer in the past for ever: some 900 wake-ups a second for each idle
 * connection, and a warning on newer Node. Without pending requests and without throttling there is nothing to check.
 */
import { RequestQueueClass } from './kafkajs-internals.ts'

const { prototype } = RequestQueueClass
const original = prototype.scheduleCheckPendingRequests
let installed = false

/** Installs the guard for all connections of this process; calling it again changes nothing. */
export function installRequestQueueShim(): void {
  if (installed) return
  installed = true
  prototype.scheduleCheckPendingRequests = function (): void {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return
    original.call(this)
  }
}

/** Takes the guard away again, to measure what it does. */
export function removeRequestQueueShim(): void {
  prototype.scheduleCheckPendingRequests = original
  installed = false
}
