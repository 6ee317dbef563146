/**
 * Port of marks: short texts by name that the processes of one agent leave for each other. They are hints: a store that is wiped forgets
 * them, and nothing is lost. Methods throw LABAN_STORE_UNAVAILABLE (retry) when the store does not answer; repeating a call is safe.
 */

/** Marks of one agent; each ends 30 days after it was set. */
export interface MarkStore {
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
  /** Removes the mark, unless it says something else by now. */
  clear(name: string, value: string): Promise<void>
}
