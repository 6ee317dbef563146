/** I2: all records with one event id have one content: topic, key, value and `ce_*` headers. */
import { isExceptionOfWipe, placeOf, type Finding, type History, type PastEvent } from './history.ts'

/** I2: what breaks it. */
export function oneContent({ events, wipes }: History): Finding[] {
  const firsts = new Map<string, { event: PastEvent; content: string }>()
  const wrong: Finding[] = []
  for (const event of events) {
    const { id, flowId } = event.envelope
    const first = firsts.get(id)
    // Most ids have one record: contents are compared only where there are two.
    if (first === undefined) {
      firsts.set(id, { event, content: '' })
      continue
    }
    first.content ||= contentOf(first.event)
    if (contentOf(event) === first.content) continue
    const made = (one: PastEvent): { at: number; madeAtMs: number } => ({
      at: one.at,
      madeAtMs: Date.parse(one.envelope.time),
    })
    if (isExceptionOfWipe(wipes, made(first.event), made(event))) continue
    const records = [placeOf(first.event), placeOf(event)]
    wrong.push({ invariant: 'I2', problem: `${id} has two contents`, flowId, records })
  }
  return wrong
}

function contentOf({ topic, key, value, headers }: PastEvent): string {
  const ce = Object.keys(headers)
    .filter((name) => name.startsWith('ce_'))
    .sort()
    .map((name) => `${name}=${String(headers[name])}`)
  return [topic, key?.toString('hex') ?? 'null', value?.toString('hex') ?? 'null', ...ce].join('\n')
}
