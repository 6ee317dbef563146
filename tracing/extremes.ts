/** The smallest and the largest of many numbers. Not `Math.min(...)`: a flow may have more numbers than a call may have arguments. */

/** null for no number at all. */
export function smallestOf(numbers: Iterable<number | null>): number | null {
  let smallest: number | null = null
  for (const number of numbers) if (number !== null && (smallest === null || number < smallest)) smallest = number
  return smallest
}

/** null for no number at all. */
export function largestOf(numbers: Iterable<number | null>): number | null {
  let largest: number | null = null
  for (const number of numbers) if (number !== null && (largest === null || number > largest)) largest = number
  return largest
}
