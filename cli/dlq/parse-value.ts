/** Reads a corrected value. */
import { describeUnknown, LabanError } from '../../runtime/internal.ts'

/** The JSON of a file. @throws LABAN_USAGE when it is none */
export function parseValue(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new LabanError('LABAN_USAGE', { problem: `${file} is not JSON: ${describeUnknown(error)}` }, { cause: error })
  }
}
