/** Types that tie topics to values. `laban generate` fills `Events` by declaration merging, so agents need no import for it. */

/**
 * Topic name to the type of its value. Empty here; the generated file merges into it:
 * `declare module 'laban' { interface Events { 'credit.decision-made': CreditDecisionMade } }`
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by declaration merging
export interface Events {}

/** Name of a topic that has a contract. */
export type Topic = keyof Events & string

/** Value of an event on topic `T`. */
export type EventOf<T extends Topic> = Events[T]
