/** Numbers that look random and follow from a seed alone. Each purpose has a stream of its own, so that what one draws moves no other. */

/** A stream of draws. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  /** @throws RangeError on an empty list */
  pick<T>(items: readonly T[]): T
}

/**
 * A stream that follows from a seed and the name of its purpose.
 * @source Mulberry32 by Tommy Ettinger (public domain): 32 bits of state, enough for schedules.
 */
export function randomStream(seed: number, purpose: string): Random {
  let state = seed >>> 0
  for (let index = 0; index < purpose.length; index++) {
    state = Math.imul(state ^ purpose.charCodeAt(index), 2_654_435_761) >>> 0
    state = (state ^ (state >>> 15)) >>> 0
  }
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (items) => {
      const item = items[between(0, items.length - 1)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
  }
}
