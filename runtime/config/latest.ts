/** Values that are read again whenever a connection is made: certificates, keys, passwords. */

/**
 * A reader of the newest value. A file that cannot be read while it is being replaced leaves the last value in use; whether that
 * one is still good shows at the server.
 * @throws what `read` throws, here only: a value that was never there is an error of the configuration
 */
export function latest(read: () => string): () => string {
  let last = read()
  return () => {
    try {
      last = read()
    } catch {
      // See above.
    }
    return last
  }
}
