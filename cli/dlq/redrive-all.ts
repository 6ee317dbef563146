/** Sends dead letters once more, one after the other, no faster than asked for. */
import { delay, inOrder, systemClock, type DeadLetter, type DeadLetterDesk } from '../../runtime/internal.ts'

/** In the order in which they were first recorded, so that events of one key go on in theirs. */
export async function redriveAll(
  desk: DeadLetterDesk,
  letters: readonly DeadLetter[],
  options: { readonly perSecond: number | undefined; readonly onRedriven: (letter: DeadLetter) => void },
): Promise<void> {
  const { perSecond, onRedriven } = options
  const startedAtMs = systemClock.nowMs()
  for (const [index, letter] of inOrder(letters).entries()) {
    if (perSecond !== undefined) {
      const dueAtMs = startedAtMs + (index * 1_000) / perSecond
      await delay(systemClock, Math.max(0, dueAtMs - systemClock.nowMs()))
    }
    await desk.redrive(letter)
    onRedriven(letter)
  }
}
