/** Bodies of those events that a drawing shows, as lines below them. */
import { LabanError, readBodies, type Config, type EventBody } from '../../runtime/internal.ts'
import { renderText, type FlowEvent, type FlowGraph, type TextOptions } from '../../tracing/index.ts'
import { jsonText } from '../dlq/show-letters.ts'
import type { ReadingSource } from '../reading-source.ts'

/** Reading one body is a round trip, and nobody reads more of them on a screen. */
const MAX_BODIES = 200
/** Longest body that is shown on one line. */
const MAX_ONE_LINE = 100
const UNMASK_KEY = 'reading.allowUnmask'

/** @throws LABAN_UNMASK_REFUSED when personal fields are asked for where the configuration does not allow it */
export function checkUnmask(unmask: boolean, { reading }: Pick<Config, 'reading'>): void {
  if (unmask && !reading.allowUnmask) throw new LabanError('LABAN_UNMASK_REFUSED', { key: UNMASK_KEY })
}

/** The drawing with a body below each event that it shows. Drawn twice: only the drawing knows which events those are. */
export async function renderWithBodies(
  graph: FlowGraph,
  log: ReadingSource,
  options: TextOptions & { readonly unmask: boolean },
): Promise<string> {
  const { unmask, ...text } = options
  const shown = new Map<string, FlowEvent>()
  renderText(graph, {
    ...text,
    eventLines: (event) => {
      if (shown.size < MAX_BODIES) shown.set(event.id, event)
      return []
    },
  })
  const bodies = await readBodies(log, [...shown.values()], { unmask })
  return renderText(graph, { ...text, eventLines: (event) => bodyLines(bodies.get(event.id)) })
}

/** One body as text. */
export function bodyLines(body: EventBody | undefined): readonly string[] {
  switch (body?.state) {
    case undefined:
      return [`body not read: only the first ${MAX_BODIES} are`]
    case 'read':
      return body.from === 'log' ? valueLines(body.value) : ['from the archive:', ...valueLines(body.value)]
    case 'tombstone':
      return ['no body: a tombstone']
    case 'expired':
      return [`body expired: its topic begins at offset ${body.earliestOffset} now`]
    case 'unreadable':
      return [`body cannot be read: ${body.problem}`]
    case 'nowhere':
      return ['body was never met: the event is only claimed']
  }
}

/** On one line while that can be read at a glance. */
function valueLines(value: unknown): readonly string[] {
  const text = jsonText(value)
  const short = text.replace(/\n\s*/g, ' ')
  return short.length <= MAX_ONE_LINE ? [short] : text.split('\n')
}

/** Bodies by event id for programs; of the whole flow, in causal order. */
export async function bodiesJson(
  graph: FlowGraph,
  log: ReadingSource,
  { unmask }: { readonly unmask: boolean },
): Promise<object> {
  return Object.fromEntries(await readBodies(log, graph.events, { unmask }))
}
