/** One event: where it lies, who has heard it, who should have and did not, and on demand what it says. */
import { useState, type ReactNode } from 'react'
import type { EventBody, EventView, HandlingView } from '../../api.ts'
import { getJson, problemOf } from '../api-client.ts'
import { countText, plural, timeText } from '../format.ts'
import { Rows } from '../parts/detail.tsx'
import { Body } from '../parts/json.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { Moment } from '../parts/page-head.tsx'
import { ProblemPanel } from '../parts/states.tsx'
import { Status } from '../parts/status.tsx'
import type { Problem } from '../../api.ts'

/** See the file's head. */
export function EventFacts({
  event,
  handlers,
  onSelect,
}: {
  readonly event: EventView
  readonly handlers: readonly HandlingView[]
  readonly onSelect: (id: string) => void
}): ReactNode {
  const { id, position, key, hop, source, recordedAtMs, copies, awaiting } = event
  const place =
    position === null ? 'claimed, but not met' : `${position.topic}/${position.partition}@${position.offset}`
  return (
    <>
      <Rows
        rows={[
          ['Event', <IdCell key="id" id={id} />],
          [
            'Place',
            <span key="place" className="id break">
              {place}
            </span>,
          ],
          ['From', source ?? 'unknown'],
          ['Recorded', <Moment key="recorded" atMs={recordedAtMs} text={timeText(recordedAtMs)} />],
          ['Hop', hop === null ? 'unknown' : String(hop)],
          ...(key === null ? [] : [['Key', key] as const]),
          ...(copies === 0 ? [] : [['Further records', countText(copies)] as const]),
        ]}
      />
      {position !== null && <BodyOnDemand position={position} />}
      <h3>Heard by</h3>
      {handlers.length === 0 && awaiting.length === 0 && <p className="quiet">Nobody subscribes to it.</p>}
      <ul className="plain">
        {handlers.map((handling) => (
          <li key={handling.key}>
            <button type="button" className="chip" onClick={() => onSelect(handling.key)}>
              {handling.agent}
            </button>{' '}
            <Status status={handling.status} />
          </li>
        ))}
      </ul>
      {awaiting.length > 0 && (
        <p className="missing">
          {plural(awaiting.length, 'agent')} should have reacted and {awaiting.length === 1 ? 'has' : 'have'} not ended:{' '}
          {awaiting.join(', ')}.
        </p>
      )}
    </>
  )
}

function IdCell({ id }: { readonly id: string }): ReactNode {
  return (
    <>
      <span className="id break">{id}</span> <CopyButton text={id} what="event id" />
    </>
  )
}

/** The body is read from the log only when somebody wants to see it. */
export function BodyOnDemand({ position }: { readonly position: NonNullable<EventView['position']> }): ReactNode {
  const [state, setState] = useState<EventBody | Problem | 'loading' | undefined>(undefined)
  const { topic, partition, offset } = position
  const load = async (): Promise<void> => {
    setState('loading')
    try {
      setState(await getJson<EventBody>(`/api/events/${encodeURIComponent(topic)}/${partition}/${offset}`))
    } catch (error) {
      setState(problemOf(error))
    }
  }
  if (state === undefined || state === 'loading') {
    return (
      <button type="button" disabled={state === 'loading'} onClick={() => void load()}>
        {state === 'loading' ? 'Reading …' : 'Show body'}
      </button>
    )
  }
  if ('code' in state) return <ProblemPanel problem={state} onRetry={() => void load()} />
  return (
    <>
      <h3>{state.from === 'archive' ? 'Body, from the archive' : 'Body'}</h3>
      <Body body={state.body} label={`Body of ${topic}`} />
      <details>
        <summary>Headers, {countText(state.sizeBytes)} bytes</summary>
        <Rows
          rows={Object.entries(state.headers).map(([name, value]) => [
            name,
            <span key={name} className="id break">
              {value}
            </span>,
          ])}
        />
      </details>
    </>
  )
}
