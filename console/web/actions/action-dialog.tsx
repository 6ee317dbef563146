/**
 * Confirms an action: what it is, what it will set in motion, who does it. Nothing happens before the button in here; the operator's
 * token is asked for once and kept for this tab only.
 */
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react'
import type { ActionRequest, ActionResult, DeadLetterLine, Problem, RedrivePreview } from '../../api.ts'
import { post, problemOf } from '../api-client.ts'
import { plural } from '../format.ts'
import { announce } from '../parts/live-region.tsx'
import { Json } from '../parts/json.tsx'
import { ProblemPanel } from '../parts/states.tsx'
import { useSession } from '../session.tsx'
import { PreviewList } from './preview-list.tsx'

/** What somebody is about to do. */
export interface PlannedAction {
  readonly kind: 'redrive' | 'discard' | 'edit'
  readonly letters: readonly Pick<DeadLetterLine, 'agent' | 'place'>[]
  /** For `edit`. */
  readonly value?: unknown
  readonly preview?: RedrivePreview
}

const NAMES = { redrive: 'Redrive', discard: 'Discard', edit: 'Put the corrected event in its place' } as const
const SAYS = {
  redrive: 'It runs once more at the agent that failed and nowhere else, under its own id; twice runs it once.',
  discard:
    'Nothing is to become of it. The record and your reason stay readable; events of its key that wait behind it go on.',
  edit: 'A new event with this value runs at the agent that failed, and refers to the old one.',
} as const

interface Shown {
  readonly planned: PlannedAction
  readonly onClose: () => void
  readonly onDone: () => void
}

/** See the file's head. */
export function ActionDialog({ planned, onClose, onDone }: Shown): ReactNode {
  const { kind, letters, value, preview } = planned
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const { problem, isBusy, act } = useAct(planned, () => {
    onDone()
    onClose()
  })
  return (
    <dialog ref={dialog} aria-labelledby="action-title" onClose={onClose}>
      <form onSubmit={(event) => void act(event)}>
        <h2 id="action-title">
          {NAMES[kind]}
          {letters.length > 1 && ` ${plural(letters.length, 'dead letter')}`}
        </h2>
        <p>{SAYS[kind]}</p>
        {preview !== undefined && kind !== 'discard' && <PreviewList preview={preview} />}
        {kind === 'edit' && <Json value={value} label="The corrected value" />}
        {kind === 'discard' && (
          <label>
            Reason
            <input name="reason" required maxLength={500} autoComplete="off" />
          </label>
        )}
        <OperatorFields />
        {problem !== undefined && <ProblemPanel problem={problem} />}
        <p className="actions">
          <button type="submit" className={kind === 'discard' ? 'danger' : 'primary'} disabled={isBusy}>
            {isBusy ? 'Working …' : kind === 'edit' ? 'Replace and run' : NAMES[kind]}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </dialog>
  )
}

function OperatorFields(): ReactNode {
  const { operator } = useSession()
  return (
    <>
      <label>
        Your name, for the audit
        <input name="by" required maxLength={80} defaultValue={operator?.name ?? ''} autoComplete="name" />
      </label>
      <label>
        Operator token
        <input name="token" type="password" required defaultValue={operator?.token ?? ''} autoComplete="off" />
      </label>
    </>
  )
}

function useAct(
  { kind, letters, value }: PlannedAction,
  onDone: () => void,
): {
  readonly problem: Problem | undefined
  readonly isBusy: boolean
  readonly act: (event: FormEvent<HTMLFormElement>) => Promise<void>
} {
  const { setOperator } = useSession()
  const [problem, setProblem] = useState<Problem | undefined>(undefined)
  const [isBusy, setBusy] = useState(false)
  const act = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const text = (name: string): string => {
      const field = fields.get(name)
      return typeof field === 'string' ? field.trim() : ''
    }
    const request: ActionRequest = {
      letters: letters.map(({ agent, place }) => ({ agent, place })),
      by: text('by'),
      ...(kind === 'discard' ? { reason: text('reason') } : {}),
      ...(kind === 'edit' ? { value } : {}),
    }
    setBusy(true)
    try {
      const { done } = await post<ActionResult>(`/api/actions/${kind}`, text('token'), request)
      setOperator({ token: text('token'), name: text('by') })
      announce(`${plural(done, 'dead letter')}: ${kind} is done`)
      onDone()
    } catch (error) {
      const found = problemOf(error)
      if (found.code === 'LABAN_CONSOLE_TOKEN') setOperator(undefined)
      setProblem(found)
      setBusy(false)
    }
  }
  return { problem, isBusy, act }
}
