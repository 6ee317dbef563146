/** Cuts requests into calls: one script reaches one epoch key, and runs only so long. */

/** Requests of one call, by their index. */
export interface Piece {
  readonly epochKey: string
  readonly indexes: number[]
  bytes: number
}

/** Redis runs nothing else while a script runs, so calls are cut at these; the pieces still share a round trip. */
const MAX_PARTS = 1_000
const MAX_BYTES = 4_194_304

/** Every request is in one piece; those of an epoch key keep their order. */
export function cutIntoPieces<T>(
  requests: readonly T[],
  of: (request: T) => { readonly epochKey: string; readonly bytes: number },
): readonly Piece[] {
  const pieces: Piece[] = []
  const open = new Map<string, Piece>()
  for (const [index, request] of requests.entries()) {
    const { epochKey, bytes } = of(request)
    let piece = open.get(epochKey)
    if (piece === undefined || piece.indexes.length >= MAX_PARTS || piece.bytes + bytes > MAX_BYTES) {
      piece = { epochKey, indexes: [], bytes: 0 }
      pieces.push(piece)
      open.set(epochKey, piece)
    }
    piece.indexes.push(index)
    piece.bytes += bytes
  }
  return pieces
}
