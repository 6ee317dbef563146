/** One handling: how it went, what it tried, its steps, and the events before and after it. */
import type { ReactNode } from 'react'
import type { FlowView, HandlingView } from '../../api.ts'
import { durationText, shortId, timeText } from '../format.ts'
import { Rows } from '../parts/detail.tsx'
import { Moment } from '../parts/page-head.tsx'
import { Status } from '../parts/status.tsx'
import { Link } from '../router.tsx'

interface HandlingFactsProps {
  readonly handling: HandlingView
  readonly flow: Pick<FlowView, 'startedAtMs' | 'flowId'>
  readonly topicOf: (eventId: string) => string
  readonly onSelect?: (id: string) => void
}

/** See the file's head. */
export function HandlingFacts({ handling, topicOf, onSelect }: HandlingFactsProps): ReactNode {
  const { agent, status, errorCode, errorMessage, deadLetter, inputs, outputs, join } = handling
  return (
    <>
      {errorCode !== null && (
        <div className="problem">
          <p>
            <code>{errorCode}</code> {errorMessage}
          </p>
          {deadLetter !== null && status === 'failed' && (
            <Link
              className="button"
              to={`/dead-letters/${encodeURIComponent(agent)}?place=${encodeURIComponent(deadLetter)}`}
            >
              Open the dead letter
            </Link>
          )}
        </div>
      )}
      <Rows rows={rowsOf(handling)} />
      <h3>{join === null ? 'Handled' : 'Joined'}</h3>
      <EventList ids={inputs} {...{ topicOf, onSelect }} />
      {join !== null && join.missing.length > 0 && (
        <p className="missing">Still waits for {join.missing.join(', ')}.</p>
      )}
      {join !== null && join.late.length > 0 && (
        <p className="quiet">{join.late.length} came too late to be members.</p>
      )}
      {outputs.length > 0 && <h3>Published</h3>}
      <EventList ids={outputs} {...{ topicOf, onSelect }} />
      <Attempts handling={handling} />
      <Steps handling={handling} />
    </>
  )
}

function rowsOf(handling: HandlingView): (readonly [string, ReactNode])[] {
  const {
    status,
    agentVersion,
    instance,
    startedAtMs,
    waitedMs,
    workedMs,
    latencyMs,
    attempts,
    duplicatesSkipped,
    inferred,
  } = handling
  return [
    ['Status', <Status key="status" status={status} />],
    ['Version', agentVersion === '' ? '–' : agentVersion],
    [
      'Instance',
      <span key="instance" className="id">
        {instance === '' ? '–' : instance}
      </span>,
    ],
    ['Began', <Moment key="began" atMs={startedAtMs} text={timeText(startedAtMs)} />],
    ['Waited', durationText(waitedMs)],
    ['Worked', durationText(workedMs)],
    ['Until the end', durationText(latencyMs)],
    ['Attempts', String(attempts)],
    ...(duplicatesSkipped > 0 ? [['Duplicates skipped', String(duplicatesSkipped)] as const] : []),
    ...(inferred ? [['Known from', 'what it published; no fact tells of it'] as const] : []),
  ]
}

function EventList({
  ids,
  topicOf,
  onSelect,
}: {
  readonly ids: readonly string[]
  readonly topicOf: (id: string) => string
  readonly onSelect?: ((id: string) => void) | undefined
}): ReactNode {
  return (
    <ul className="chips">
      {ids.slice(0, 30).map((id) => (
        <li key={id}>
          {onSelect === undefined ? (
            <span className="chip">{topicOf(id) || shortId(id)}</span>
          ) : (
            <button type="button" className="chip" onClick={() => onSelect(id)}>
              {topicOf(id) || shortId(id)}
            </button>
          )}
        </li>
      ))}
      {ids.length > 30 && <li className="quiet">and {ids.length - 30} more</li>}
    </ul>
  )
}

function Attempts({ handling: { failedAttempts } }: { readonly handling: HandlingView }): ReactNode {
  if (failedAttempts.length === 0) return null
  return (
    <>
      <h3>Failed attempts</h3>
      <ol className="plain">
        {failedAttempts.slice(0, 20).map(({ attempt, endedAtMs, errorCode, errorMessage }) => (
          <li key={attempt}>
            {attempt}. <Moment atMs={endedAtMs} text={timeText(endedAtMs)} /> <code>{errorCode}</code> {errorMessage}
          </li>
        ))}
      </ol>
    </>
  )
}

function Steps({ handling: { steps } }: { readonly handling: HandlingView }): ReactNode {
  if (steps.length === 0) return null
  return (
    <>
      <h3>Steps</h3>
      <ol className="plain">
        {steps.slice(0, 50).map(({ name, durationMs, cost, replayed }, index) => (
          <li key={index}>
            {name}, {durationText(durationMs)}
            {cost !== null && `, cost ${cost}`}
            {replayed && ', from the journal'}
          </li>
        ))}
      </ol>
    </>
  )
}
