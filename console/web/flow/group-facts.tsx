/** One group of a large flow: its numbers, and its members page by page, those that need a look first. */
import { useState, type ReactNode } from 'react'
import type {
  EventView,
  FlowView,
  GroupView,
  HandlingGroupView,
  HandlingView,
  MemberPage,
  SpreadView,
} from '../../api.ts'
import { countText, durationText, shortId, timeText } from '../format.ts'
import { Rows } from '../parts/detail.tsx'
import { Moment } from '../parts/page-head.tsx'
import { Answer } from '../parts/states.tsx'
import { Status, StatusBar } from '../parts/status.tsx'
import { useLive } from '../use-live.ts'
import { BodyOnDemand } from './event-facts.tsx'
import { HandlingFacts } from './handling-facts.tsx'

const PAGE = 50
const EVERY_MS = 30_000

/** See the file's head. */
export function GroupFacts({ flow, group }: { readonly flow: FlowView; readonly group: GroupView }): ReactNode {
  return (
    <>
      <Rows rows={group.kind === 'events' ? eventRows(group) : handlingRows(group)} />
      <Members flow={flow} group={group} />
    </>
  )
}

function Members({ flow, group }: { readonly flow: FlowView; readonly group: GroupView }): ReactNode {
  const [offset, setOffset] = useState(0)
  const query = new URLSearchParams({ group: group.id, offset: String(offset), limit: String(PAGE) })
  const live = useLive<MemberPage>(`/api/flows/${flow.flowId}/members?${query.toString()}`, EVERY_MS)
  const last = Math.min(offset + PAGE, group.count)
  return (
    <>
      <div className="pager">
        <h3>Members</h3>
        <span aria-live="polite">
          {countText(offset + 1)} to {countText(last)} of {countText(group.count)}
        </span>
        <button type="button" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE))}>
          Previous
        </button>
        <button type="button" disabled={last >= group.count} onClick={() => setOffset(offset + PAGE)}>
          Next
        </button>
      </div>
      <Answer live={live} what="members">
        {({ events, handlings }) => (
          <ul className="members">
            {handlings.map((handling) => (
              <li key={handling.key}>
                <HandlingMember handling={handling} flow={flow} />
              </li>
            ))}
            {events.map((event) => (
              <li key={event.id}>
                <EventMember event={event} />
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </>
  )
}

function HandlingMember({ handling, flow }: { readonly handling: HandlingView; readonly flow: FlowView }): ReactNode {
  const { status, inputs, workedMs, attempts, errorCode } = handling
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Status status={status} /> <span className="id">{shortId(inputs.at(-1) ?? handling.key)}</span>{' '}
        {durationText(workedMs)}
        {attempts > 1 && `, attempt ${attempts}`} {errorCode !== null && <code>{errorCode}</code>}
      </summary>
      {isOpen && <HandlingFacts handling={handling} flow={flow} topicOf={() => ''} />}
    </details>
  )
}

function EventMember({ event }: { readonly event: EventView }): ReactNode {
  const { id, key, recordedAtMs, position } = event
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
      <summary>
        <span className="id">{shortId(id)}</span> {key} <Moment atMs={recordedAtMs} text={timeText(recordedAtMs)} />
        {position !== null && <span className="quiet"> {`${position.partition}@${position.offset}`}</span>}
      </summary>
      {isOpen && position !== null && <BodyOnDemand position={position} />}
    </details>
  )
}

function handlingRows(group: HandlingGroupView): (readonly [string, ReactNode])[] {
  const { statuses, topics, isJoin, waited, worked, attempts, retried, duplicatesSkipped, deadLetters, cost, errors } =
    group
  return [
    ['Status', <StatusBar key="status" counts={statuses} />],
    [isJoin ? 'Joins' : 'Handled', topics.join(isJoin ? ' + ' : ', ')],
    ['Waited', <SpreadText key="waited" spread={waited} />],
    ['Worked', <SpreadText key="worked" spread={worked} />],
    ['Attempts', `${countText(attempts)}${retried > 0 ? `, ${countText(retried)} retried` : ''}`],
    ...(duplicatesSkipped > 0 ? [['Duplicates skipped', countText(duplicatesSkipped)] as const] : []),
    ...(deadLetters > 0 ? [['Dead letters', countText(deadLetters)] as const] : []),
    ...(cost === null ? [] : [['Cost', String(cost)] as const]),
    ...(errors.length > 0
      ? [['Errors', errors.map(({ code, count }) => `${code} ×${countText(count)}`).join(', ')] as const]
      : []),
  ]
}

function eventRows({
  source,
  count,
  copies,
  startedAtMs,
  endedAtMs,
  awaiting,
}: Extract<GroupView, { kind: 'events' }>): (readonly [string, ReactNode])[] {
  return [
    ['From', source ?? 'unknown'],
    ['Events', countText(count)],
    ['Recorded', `${timeText(startedAtMs)} to ${timeText(endedAtMs)}`],
    ...(copies > 0 ? [['Further records', countText(copies)] as const] : []),
    ...(awaiting.length > 0
      ? [['To come', awaiting.map((each) => `${each.agent} ${countText(each.count)}`).join(', ')] as const]
      : []),
  ]
}

function SpreadText({ spread }: { readonly spread: SpreadView | null }): ReactNode {
  if (spread === null) return '–'
  const { leastMs, medianMs, mostMs } = spread
  return `${durationText(medianMs)} (${durationText(leastMs)} to ${durationText(mostMs)})`
}
