/**
 * Finds amounts of money with their currency: `EUR 1,250.00`, `€1,250`, `1250.00 USD`. Amounts are counted in hundredths: sums of
 * binary fractions do not come out even.
 */
import type { EventOf } from 'laban'
import { labelBefore } from './label-before.ts'

type FoundAmount = Omit<EventOf<'document.parsed'>['amounts'][number], 'section'>

const SYMBOLS: Readonly<Record<string, string>> = { '€': 'EUR', $: 'USD', '£': 'GBP' }
const CURRENCY = '(?:EUR|USD|GBP|CHF|[€$£])'
const NUMBER = String.raw`-?(?:\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.\d{1,2})?`
const AMOUNT = new RegExp(
  `(?<![\\p{L}\\p{N}.,])(?:(?<before>${CURRENCY})[ \\u00a0]?(?<after>${NUMBER})|(?<number>${NUMBER})[ \\u00a0]?(?<currency>${CURRENCY}))(?![\\p{L}\\p{N}]|[.,]\\d)`,
  'gu',
)

/** The amounts of one line, in order. */
export function findAmounts(line: string): FoundAmount[] {
  return Array.from(line.matchAll(AMOUNT), ({ 0: text, index, groups = {} }) => {
    const currency = groups['before'] ?? groups['currency'] ?? ''
    const cents = centsOf(groups['after'] ?? groups['number'] ?? '')
    return { text, currency: SYMBOLS[currency] ?? currency, cents, label: labelBefore(line, index) }
  })
}

function centsOf(number: string): number {
  const [whole = '0', fraction = ''] = number.replaceAll(/[-,]/g, '').split('.')
  const cents = Number(whole) * 100 + Number(fraction.padEnd(2, '0'))
  return number.startsWith('-') ? -cents : cents
}
