/** What a document must fulfil. A check gives its problems in words for the person who has to correct the document. */
import type { EventOf } from 'laban'

type Parsed = EventOf<'document.parsed'>

/** A rule, the kinds of documents it holds for (absent: all) and what it finds. */
interface Check {
  readonly name: string
  readonly kinds?: readonly Parsed['kind'][]
  readonly problems: (document: Parsed) => readonly string[]
}

/** Headings that a kind of document must have; upper and lower case are the same. */
const REQUIRED_SECTIONS: Readonly<Record<Parsed['kind'], readonly string[]>> = {
  invoice: ['Items', 'Payment'],
  report: ['Summary', 'Findings'],
  other: [],
}
const TOTAL = /^(?:grand )?total\b/i
const SUBTOTAL = /^sub-?total\b/i

const CHECKS: readonly Check[] = [
  {
    name: 'required-sections',
    problems: ({ kind, sections }) => {
      const headings = new Set(sections.map(({ heading }) => heading.toLowerCase()))
      return REQUIRED_SECTIONS[kind]
        .filter((name) => !headings.has(name.toLowerCase()))
        .map((name) => `the section "${name}" is missing`)
    },
  },
  {
    name: 'dates-exist',
    problems: ({ dates }) =>
      dates.filter(({ date }) => date === null).map(({ text }) => `no calendar has the date "${text}"`),
  },
  {
    name: 'due-after-issue',
    kinds: ['invoice'],
    problems: ({ dates }) => {
      const dayOf = (label: RegExp): string | null => dates.find((date) => label.test(date.label))?.date ?? null
      const [issued, due] = [dayOf(/\b(?:issued|invoice date)\b/i), dayOf(/\bdue\b/i)]
      return issued !== null && due !== null && due < issued ? [`due on ${due}, before it was issued on ${issued}`] : []
    },
  },
  {
    name: 'has-total',
    kinds: ['invoice'],
    problems: (document) => (totalsOf(document).length === 0 ? ['no amount is called a total'] : []),
  },
  {
    name: 'sums-match',
    problems: (document) =>
      totalsOf(document).flatMap((total) => {
        const parts = document.amounts.filter((amount) => isPartOf(amount, total))
        const sum = parts.reduce((cents, amount) => cents + amount.cents, 0)
        if (parts.length === 0 || sum === total.cents) return []
        return [
          `the amounts of "${total.section}" are ${money(sum, total)}, their total says ${money(total.cents, total)}`,
        ]
      }),
  },
]

/** Names of the checks that hold for a document, and every problem found by them. */
export function checkDocument(document: Parsed): {
  readonly checks: readonly string[]
  readonly problems: readonly string[]
} {
  const checks = CHECKS.filter(({ kinds }) => kinds === undefined || kinds.includes(document.kind))
  return { checks: checks.map(({ name }) => name), problems: checks.flatMap(({ problems }) => problems(document)) }
}

/** Amounts that a document calls a total. */
export function totalsOf({ amounts }: Pick<Parsed, 'amounts'>): Parsed['amounts'] {
  return amounts.filter(({ label }) => TOTAL.test(label))
}

type Amount = Parsed['amounts'][number]

/** What a total adds up: the other amounts of its section and currency. */
function isPartOf(amount: Amount, total: Amount): boolean {
  const isOther = !TOTAL.test(amount.label) && !SUBTOTAL.test(amount.label)
  return isOther && amount.section === total.section && amount.currency === total.currency
}

function money(cents: number, { currency }: Amount): string {
  return `${currency} ${(cents / 100).toFixed(2)}`
}
