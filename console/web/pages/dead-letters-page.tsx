/** Dead letters by what went wrong; a group is redriven or discarded together, one is opened to be looked at and corrected. */
import { useState, type ReactNode } from 'react'
import type { DeadLetterGroupView, DeadLetterLine, DeadLetterList } from '../../api.ts'
import { ActionDialog, type PlannedAction } from '../actions/action-dialog.tsx'
import { ActionHint } from '../actions/action-hint.tsx'
import { durationText, plural, shortId, timeText } from '../format.ts'
import { useAnnouncement } from '../parts/live-region.tsx'
import { Moment, PageHead } from '../parts/page-head.tsx'
import { Answer, EmptyState } from '../parts/states.tsx'
import { Status } from '../parts/status.tsx'
import { Link, useAddress, useParameter } from '../router.tsx'
import { useSession } from '../session.tsx'
import { useLive } from '../use-live.ts'

const EVERY_MS = 4_000
const SOON_MS = 3 * 86_400_000

/** See the file's head. */
export function DeadLettersPage(): ReactNode {
  const [all, setAll] = useParameter('all')
  const { query } = useAddress()
  const flow = query.get('flow')
  const live = useLive<DeadLetterList>(`/api/dead-letters${all === 'true' ? '?all=true' : ''}`, EVERY_MS)
  const waiting = live.data?.waiting
  const facts =
    waiting === undefined ? '' : waiting === 0 ? 'nothing waits' : `${plural(waiting, 'dead letter')} to deal with`
  useAnnouncement(facts === '' ? undefined : facts)
  return (
    <>
      <PageHead title="Dead letters" facts={facts}>
        <label className="check">
          <input
            type="checkbox"
            checked={all === 'true'}
            onChange={(event) => setAll(event.target.checked ? 'true' : '')}
          />
          Also those dealt with
        </label>
      </PageHead>
      <ActionHint />
      {flow !== null && (
        <p className="note">
          Only those of flow <span className="id">{shortId(flow)}</span>. <Link to="/dead-letters">Show all</Link>
        </p>
      )}
      <Answer live={live} what="dead letters">
        {({ groups }) => <Groups groups={ofFlow(groups, flow)} onDone={live.refresh} />}
      </Answer>
    </>
  )
}

function ofFlow(groups: readonly DeadLetterGroupView[], flow: string | null): readonly DeadLetterGroupView[] {
  if (flow === null) return groups
  return groups.flatMap((group) => {
    const letters = group.letters.filter(({ flowId }) => flowId === flow)
    return letters.length === 0 ? [] : [{ ...group, letters, count: letters.length }]
  })
}

function Groups({
  groups,
  onDone,
}: {
  readonly groups: readonly DeadLetterGroupView[]
  readonly onDone: () => void
}): ReactNode {
  const [planned, setPlanned] = useState<PlannedAction | undefined>(undefined)
  if (groups.length === 0) {
    return (
      <EmptyState title="No dead letters">
        What agents cannot handle, after all attempts, waits here for a person.
      </EmptyState>
    )
  }
  return (
    <>
      {groups.map((group) => (
        <Group key={group.id} group={group} onPlan={setPlanned} />
      ))}
      {planned !== undefined && (
        <ActionDialog planned={planned} onClose={() => setPlanned(undefined)} onDone={onDone} />
      )}
    </>
  )
}

function Group({
  group,
  onPlan,
}: {
  readonly group: DeadLetterGroupView
  readonly onPlan: (action: PlannedAction) => void
}): ReactNode {
  const { agent, code, message, at, count, firstAtMs, lastAtMs, letters } = group
  const { about } = useSession()
  const open = letters.filter(({ status }) => status === 'open' || status === 'redriven')
  const plan = (kind: 'redrive' | 'discard'): void => onPlan({ kind, letters: open })
  return (
    <section className="cause" aria-label={`${agent}, ${code}`}>
      <h2>
        {plural(count, 'letter')} of {agent} <code>{code}</code>
      </h2>
      <p>
        {message} <span className="quiet break">{at}</span>
      </p>
      <p className="quiet">
        {timeText(firstAtMs)} to {timeText(lastAtMs)}
        {letters.length < count && `; the newest ${letters.length} are shown`}
      </p>
      {about?.actions.enabled === true && open.length > 0 && (
        <p className="actions">
          <button type="button" onClick={() => plan('redrive')}>
            Redrive {open.length === 1 ? 'it' : `these ${open.length}`} …
          </button>
          <button type="button" className="danger" onClick={() => plan('discard')}>
            Discard …
          </button>
        </p>
      )}
      <LetterTable letters={letters} />
    </section>
  )
}

function LetterTable({ letters }: { readonly letters: readonly DeadLetterLine[] }): ReactNode {
  return (
    <div className="table-scroll">
      <table>
        <caption className="visually-hidden">Dead letters, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Event</th>
            <th scope="col">Status</th>
            <th scope="col">Topic</th>
            <th scope="col">Flow</th>
            <th scope="col">Failed</th>
            <th scope="col" className="number">
              Attempts
            </th>
            <th scope="col">Kept until</th>
          </tr>
        </thead>
        <tbody>
          {letters.map((letter) => (
            <LetterRow key={letter.place} letter={letter} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function LetterRow({ letter }: { readonly letter: DeadLetterLine }): ReactNode {
  const { agent, place, eventId, flowId, topic, status, failedAtMs, attempts, expiresAtMs } = letter
  return (
    <tr>
      <th scope="row">
        <Link
          className="id"
          title={eventId}
          to={`/dead-letters/${encodeURIComponent(agent)}?place=${encodeURIComponent(place)}`}
        >
          {shortId(eventId)}
        </Link>
      </th>
      <td>
        <Status status={status} />
      </td>
      <td>{topic}</td>
      <td>
        <Link className="id" to={`/flows/${flowId}`} title={flowId}>
          {shortId(flowId)}
        </Link>
      </td>
      <td>
        <Moment atMs={failedAtMs} text={timeText(failedAtMs)} />
      </td>
      <td className="number">{attempts}</td>
      <td>
        <Expiry atMs={expiresAtMs} />
      </td>
    </tr>
  )
}

function Expiry({ atMs }: { readonly atMs: number | null }): ReactNode {
  if (atMs === null) return 'for ever'
  const leftMs = atMs - Date.now()
  const text = leftMs < 0 ? 'may be gone' : `${durationText(leftMs)} left`
  return <span className={leftMs < SOON_MS ? 'missing' : ''}>{text}</span>
}
