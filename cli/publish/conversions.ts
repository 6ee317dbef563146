/** The named conversions of a map's `as`, for columns whose text is not what the contract means. One row each. */

/** What a converter gives: the value, or what it expected to find. */
export type Converted = { readonly value: unknown } | { readonly expected: string }

const converted = (value: unknown): Converted => ({ value })
const expected = (text: string): Converted => ({ expected: text })

const TRUTH: Readonly<Record<string, boolean>> = { yes: true, y: true, no: false, n: false }

/** Name to meaning and function. What it gives is then converted to the field's type like any other cell. */
export const CONVERSIONS = {
  'boolean-from-01': {
    summary: '0 and 1 as false and true',
    convert: (text) => (text === '1' || text === '0' ? converted(text === '1') : expected('0 or 1')),
  },
  'boolean-from-yes-no': {
    summary: 'yes, no, y, n in any case',
    convert: (text) => {
      const value = TRUTH[text.toLowerCase()]
      return value === undefined ? expected('yes or no') : converted(value)
    },
  },
  'ratio-from-percent': {
    summary: '11.89% or 11.89 as 0.1189',
    convert: (text) => {
      const percent = Number(text.replace(/\s*%$/, ''))
      // Two decimals more than the text has: 11.89 / 100 is 0.11890000000000002 in binary.
      return text === '' || Number.isNaN(percent)
        ? expected('a percentage')
        : converted(Number((percent / 100).toPrecision(15)))
    },
  },
  'lower-case': { summary: 'text in lower case', convert: (text) => converted(text.toLowerCase()) },
  'upper-case': { summary: 'text in upper case', convert: (text) => converted(text.toUpperCase()) },
  'snake-case': {
    summary: 'words joined by underscores, for enum symbols',
    convert: (text) =>
      converted(
        text
          .trim()
          .replace(/[^A-Za-z0-9]+/g, '_')
          .toLowerCase(),
      ),
  },
  'ms-from-date': {
    summary: 'an ISO 8601 date as epoch milliseconds',
    convert: (text) => {
      const ms = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : NaN
      return Number.isNaN(ms) ? expected('an ISO 8601 date') : converted(ms)
    },
  },
} as const satisfies Readonly<Record<string, { summary: string; convert: (text: string) => Converted }>>

export type ConversionName = keyof typeof CONVERSIONS

/** True for the name of a conversion. */
export function isConversion(name: string): name is ConversionName {
  return Object.hasOwn(CONVERSIONS, name)
}
