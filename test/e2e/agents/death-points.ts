/** Where a process can die on the way of a record, in the order of that way. */

/** `<when> <call>`; `send` is that of outputs, `fact` that of facts. */
export const DEATH_POINTS = [
  'before claim',
  'after claim',
  'before compute',
  'during compute',
  'after compute',
  'before send',
  'during send',
  'after send',
  'before fact',
  'during fact',
  'after fact',
  'before finish',
  'during finish',
  'after finish',
  'before commit',
  'during commit',
  'after commit',
] as const

/** One of {@link DEATH_POINTS}. */
export type DeathPoint = (typeof DEATH_POINTS)[number]

/** Whether text names a point. */
export function isDeathPoint(text: string): text is DeathPoint {
  return (DEATH_POINTS as readonly string[]).includes(text)
}
