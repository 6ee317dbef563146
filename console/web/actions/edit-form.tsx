/** Corrects the value of a dead letter as JSON. It is checked here for being JSON; the contract is checked by the server. */
import { useId, useState, type FormEvent, type ReactNode } from 'react'

/** See the file's head. */
export function EditForm({
  value,
  onValue,
  onCancel,
}: {
  readonly value: unknown
  readonly onValue: (value: unknown) => void
  readonly onCancel: () => void
}): ReactNode {
  const before = JSON.stringify(value, null, 2)
  const [text, setText] = useState(before)
  const [problem, setProblem] = useState('')
  const hint = useId()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    try {
      const corrected: unknown = JSON.parse(text)
      setProblem(
        JSON.stringify(corrected) === JSON.stringify(value)
          ? 'Nothing has changed; to run it as it is, redrive it.'
          : '',
      )
      if (JSON.stringify(corrected) !== JSON.stringify(value)) onValue(corrected)
    } catch (error) {
      setProblem(`This is not JSON: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return (
    <form className="edit" onSubmit={submit}>
      <label>
        Corrected value
        <textarea
          value={text}
          rows={Math.min(24, before.split('\n').length + 1)}
          spellCheck={false}
          aria-describedby={hint}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <p id={hint} role={problem === '' ? undefined : 'alert'} className={problem === '' ? 'quiet' : 'missing'}>
        {problem === '' ? 'JSON as the contract says. You confirm it in the next step.' : problem}
      </p>
      <p className="actions">
        <button type="submit">Go on …</button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </p>
    </form>
  )
}
