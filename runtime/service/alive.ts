/** Which handlings are alive in this process, from the first look at the store until the input is finished: one per id. */

/** One handling's presence. Waiting for its end costs a promise only where somebody waits. */
export class Presence {
  readonly #onEnd: () => void
  #hasLeft = false
  #ended: Promise<void> | undefined
  #resolve: (() => void) | undefined

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  /** Resolves when the handling has left. */
  ended(): Promise<void> {
    if (this.#hasLeft) return Promise.resolve()
    this.#ended ??= new Promise<void>((resolve) => (this.#resolve = resolve))
    return this.#ended
  }

  /** The handling is settled, or left to others. Only the first call counts: the id may be alive again by the second. */
  leave(): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#onEnd()
    this.#resolve?.()
  }
}

/** See the file's head. */
export class Alive {
  readonly #byId = new Map<string, Presence>()

  get size(): number {
    return this.#byId.size
  }

  /** The handling of this id that is alive, if there is one. */
  get(id: string): Presence | undefined {
    return this.#byId.get(id)
  }

  /** Enters a handling; there must be none of its id. */
  enter(id: string): Presence {
    const presence = new Presence(() => this.#byId.delete(id))
    this.#byId.set(id, presence)
    return presence
  }

  /** Resolves when all that are alive now have left. */
  async settled(): Promise<void> {
    await Promise.all([...this.#byId.values()].map((presence) => presence.ended()))
  }
}
