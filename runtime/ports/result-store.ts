/** Port of large results: bytes that are too many for the store of claims, kept elsewhere under an id. */

/** Bytes by id. Every method throws LABAN_STEP_RESULT_STORE (retry) while the place cannot be used. */
export interface ResultStore {
  /** Resolves when the bytes would survive a crash. The same id is only ever put with the same bytes; twice is harmless. */
  put(id: string, bytes: Buffer): Promise<void>
  /** Undefined when there is nothing under this id. */
  get(id: string): Promise<Buffer | undefined>
}
