/** Which handlings are alive in this process, from the first look at the store until the input is finished: one per id. */

/** One handling's presence. Waiting for its end costs a promise only where somebody waits. */
export class Presence {
  readonly #id: string
  readonly #alive: Map<string, Presence>
  #hasLeft = false
  #ended: Promise<void> | undefined
  #resolve: (() => void) | undefined

  constructor(id: string, alive: Map<string, Presence>) {
    this.#id = id
    this.#alive = alive
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
    this.#alive.delete(this.#id)
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
    const presence = new Presence(id, this.#byId)
    this.#byId.set(id, presence)
    return presence
  }

  /** Resolves when all that are alive now have left. */
  async settled(): Promise<void> {
    await Promise.all([...this.#byId.values()].map((presence) => presence.ended()))
  }
}
