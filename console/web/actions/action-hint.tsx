/** Whether one may act here, as whom, and if not how to change that. */
import type { ReactNode } from 'react'
import { Commands } from '../parts/states.tsx'
import { useSession } from '../session.tsx'

/** See the file's head. */
export function ActionHint(): ReactNode {
  const { about, operator, setOperator } = useSession()
  if (about === undefined) return null
  if (!about.actions.enabled) {
    return (
      <p className="note">
        This console only reads. <Commands text={about.actions.howTo} /> Until then the command line does it:{' '}
        <code>laban dlq redrive</code>, <code>laban dlq edit</code>, <code>laban dlq discard</code>.
      </p>
    )
  }
  if (operator === undefined) return null
  return (
    <p className="note">
      You act as {operator.name}.{' '}
      <button type="button" className="link" onClick={() => setOperator(undefined)}>
        Forget the token
      </button>
    </p>
  )
}
