/** One dead letter: why it failed, what the event says, what may be done, and what was done before. */
import { useState, type ReactNode } from 'react'
import type { AuditEntry, DeadLetterLine, DeadLetterPage as Letter } from '../../api.ts'
import { ActionDialog, type PlannedAction } from '../actions/action-dialog.tsx'
import { ActionHint } from '../actions/action-hint.tsx'
import { EditForm } from '../actions/edit-form.tsx'
import { PreviewList } from '../actions/preview-list.tsx'
import { shortId, timeText } from '../format.ts'
import { Rows } from '../parts/detail.tsx'
import { Body } from '../parts/json.tsx'
import { useAnnouncement } from '../parts/live-region.tsx'
import { Moment, PageHead } from '../parts/page-head.tsx'
import { Answer, Commands } from '../parts/states.tsx'
import { Status } from '../parts/status.tsx'
import { Link, useParameter } from '../router.tsx'
import { useSession } from '../session.tsx'
import { useLive } from '../use-live.ts'

const EVERY_MS = 3_000

/** See the file's head. */
export function DeadLetterPage({ agent }: { readonly agent: string }): ReactNode {
  const [place] = useParameter('place')
  const live = useLive<Letter>(
    `/api/dead-letters/${encodeURIComponent(agent)}?place=${encodeURIComponent(place)}`,
    EVERY_MS,
  )
  const status = live.data?.letter.status
  useAnnouncement(status === undefined ? undefined : `Dead letter ${status}`)
  return (
    <>
      <p className="trail">
        <Link to="/dead-letters">Dead letters</Link>
      </p>
      <Answer live={live} what="the dead letter">
        {(letter) => <Content page={letter} onDone={live.refresh} />}
      </Answer>
    </>
  )
}

function Content({ page, onDone }: { readonly page: Letter; readonly onDone: () => void }): ReactNode {
  const { letter, body, explanation, preview, history, audit } = page
  const [planned, setPlanned] = useState<PlannedAction | undefined>(undefined)
  const isOpen = letter.status === 'open' || letter.status === 'redriven'
  return (
    <>
      <PageHead
        title={`${letter.agent} could not handle ${letter.topic}`}
        facts={
          <>
            <Status status={letter.status} /> {letter.note !== '' && `${letter.note}  ·  `}
            {'  ·  '}flow{' '}
            <Link className="id" to={`/flows/${letter.flowId}`}>
              {shortId(letter.flowId)}
            </Link>
          </>
        }
      />
      <ActionHint />
      <section className="problem" aria-label="Why">
        <p>
          <code>{letter.code}</code> {letter.message}
        </p>
        {explanation !== null && (
          <p>
            {explanation.cause} <Commands text={explanation.remedy} />
          </p>
        )}
        {letter.stack !== '' && (
          <details>
            <summary>Stack</summary>
            <pre tabIndex={0}>{letter.stack}</pre>
          </details>
        )}
      </section>
      {isOpen && <WhatToDo {...{ page, onPlan: setPlanned }} />}
      <div className="columns">
        <section aria-label="Event">
          <h2>Event</h2>
          <Body body={body} label="Value of the event" />
          <Rows rows={rowsOf(page)} />
        </section>
        <section aria-label="Preview and history">
          {isOpen && <PreviewList preview={preview} />}
          {history.length > 1 && <History letters={history} />}
          {audit.length > 0 && <Audit entries={audit} />}
        </section>
      </div>
      {planned !== undefined && (
        <ActionDialog planned={planned} onClose={() => setPlanned(undefined)} onDone={onDone} />
      )}
    </>
  )
}

function WhatToDo({
  page,
  onPlan,
}: {
  readonly page: Letter
  readonly onPlan: (action: PlannedAction) => void
}): ReactNode {
  const { about } = useSession()
  const [isEditing, setEditing] = useState(false)
  const { letter, body, preview } = page
  if (about?.actions.enabled !== true) return null
  const letters = [letter]
  return (
    <section aria-label="What to do">
      <p className="actions">
        <button type="button" className="primary" onClick={() => onPlan({ kind: 'redrive', letters, preview })}>
          Redrive …
        </button>
        {'value' in body && (
          <button type="button" aria-expanded={isEditing} onClick={() => setEditing(!isEditing)}>
            Correct the event …
          </button>
        )}
        <button type="button" className="danger" onClick={() => onPlan({ kind: 'discard', letters })}>
          Discard …
        </button>
      </p>
      {isEditing && 'value' in body && (
        <EditForm
          value={body.value}
          onCancel={() => setEditing(false)}
          onValue={(value) => onPlan({ kind: 'edit', letters, preview, value })}
        />
      )}
    </section>
  )
}

function rowsOf({ letter }: Letter): (readonly [string, ReactNode])[] {
  const { eventId, origin, place, key, attempts, failedAtMs, agentVersion, instance, generation, headers } = letter
  const wide = (text: string): ReactNode => <span className="id break">{text}</span>
  return [
    ['Event', wide(eventId)],
    ['Record', wide(`${origin.topic}/${origin.partition}@${origin.offset}`)],
    ['Letter', wide(`${place}, generation ${generation}`)],
    ['Key', key ?? 'none'],
    ['Attempts', String(attempts)],
    ['Failed', <Moment key="failed" atMs={failedAtMs} text={timeText(failedAtMs)} />],
    ['By', wide(`version ${agentVersion} on ${instance}`)],
    ...Object.entries(headers).map(([name, value]) => [name, wide(value)] as const),
  ]
}

function History({ letters }: { readonly letters: readonly DeadLetterLine[] }): ReactNode {
  return (
    <>
      <h3>Generations</h3>
      <ol className="plain">
        {letters.map(({ place, generation, failedAtMs, code, status }) => (
          <li key={place}>
            {generation}. <Moment atMs={failedAtMs} text={timeText(failedAtMs)} /> <code>{code}</code>{' '}
            <Status status={status} />
          </li>
        ))}
      </ol>
    </>
  )
}

function Audit({ entries }: { readonly entries: readonly AuditEntry[] }): ReactNode {
  return (
    <>
      <h3>Who did what</h3>
      <ol className="plain">
        {entries.map(({ atMs, action, by, note }, index) => (
          <li key={index}>
            <Moment atMs={atMs} text={timeText(atMs)} /> {by} <strong>{action}</strong>{' '}
            <span className="break">{note}</span>
          </li>
        ))}
      </ol>
    </>
  )
}
