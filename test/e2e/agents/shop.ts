/** Contracts of a small shop in two versions that agents of both read, and in a third that nobody could: written to a folder. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const ORDERS = 'shop.order-placed'
export const NOTES = 'shop.order-noted'
export const KEPT = 'shop.order-kept'
export const TELLER = join(import.meta.dirname, 'shop-teller.ts')
export const KEEPER = join(import.meta.dirname, 'shop-keeper.ts')

const number = { name: 'number', type: 'int' }
const text = { name: 'text', type: 'string' }
/** In the old version only: it may go, because it has a default. */
const coupon = { name: 'coupon', type: 'string', default: 'none' }
/** In the new version only. */
const currency = { name: 'currency', type: 'string', default: 'EUR' }

const FIELDS = {
  old: { placed: [number, coupon], noted: [number, text, coupon] },
  new: { placed: [number, currency], noted: [number, text, currency] },
  broken: { placed: [{ name: 'number', type: 'string' }, coupon], noted: [number, text, coupon] },
} as const

/** Writes the contracts of one version below `folder`; gives their folder. */
export function writeShopContracts(folder: string, version: keyof typeof FIELDS, partitions = 4): string {
  const dir = join(folder, version)
  const { placed, noted } = FIELDS[version]
  mkdirSync(join(dir, 'avro', 'shop'), { recursive: true })
  const record = (name: string, fields: readonly object[]): void => {
    writeFileSync(join(dir, 'avro', 'shop', `${name}.avsc`), JSON.stringify({ ...avro(name), fields }, null, 2))
  }
  record('order-placed', placed)
  record('order-noted', noted)
  record('order-kept', [number, text])
  const topics = [ORDERS, NOTES, KEPT].map((topic) => [topic, { schema: `${topic.replace('.', '/')}.avsc` }])
  const table = { defaults: { partitions }, topics: Object.fromEntries(topics) as object }
  writeFileSync(join(dir, 'topics.json'), JSON.stringify(table))
  return dir
}

function avro(name: string): object {
  return {
    type: 'record',
    namespace: 'shop',
    name: name.replace(/(^|-)(.)/g, (_, _dash, letter: string) => letter.toUpperCase()),
  }
}

/** What the agents read and say, whichever version they are. */
export interface ShopEvent {
  readonly number: number
  readonly text: string
  readonly coupon?: string
  readonly currency?: string
}

/** The version of this process: `old` or `new`. */
export function shopVersion(): string {
  return process.env['SHOP_VERSION'] ?? 'old'
}

/** `<who> saw coupon=none`: what this version sees of an event. */
export function seen(who: string, event: unknown): string {
  const { number: _number, text: before, ...rest } = event as ShopEvent
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`)
  return [before, `${shopVersion()} ${who} saw ${fields.join(' ')}`].filter((part) => part !== undefined).join('; ')
}
