/** A value as indented JSON, with names and texts told apart. Long ones scroll by themselves. */
import type { ReactNode } from 'react'
import type { BodyView } from '../../api.ts'
import { ProblemPanel } from './states.tsx'

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g

/** See the file's head. */
export function Json({ value, label }: { readonly value: unknown; readonly label: string }): ReactNode {
  return (
    <pre className="json" tabIndex={0} role="region" aria-label={label}>
      {highlight(JSON.stringify(value, null, 2) ?? 'nothing')}
    </pre>
  )
}

/** The value of an event, or why there is none. */
export function Body({ body, label }: { readonly body: BodyView; readonly label: string }): ReactNode {
  if ('value' in body) {
    return (
      <>
        <Json value={body.value} label={label} />
        {body.masked && (
          <p className="quiet">What its contract marks as personal is hidden; a correction leaves it as it was.</p>
        )}
      </>
    )
  }
  return (
    <>
      <ProblemPanel problem={body.problem} />
      <p className="quiet">
        Its first bytes, in base64: <code className="break">{body.bytes}</code>
      </p>
    </>
  )
}

function highlight(text: string): ReactNode[] {
  const parts: ReactNode[] = []
  let end = 0
  for (const match of text.matchAll(TOKEN)) {
    const [whole, quoted, colon] = match
    parts.push(text.slice(end, match.index))
    const className = colon !== undefined ? 'name' : quoted !== undefined ? 'text' : 'literal'
    parts.push(
      <span key={match.index} className={className}>
        {quoted ?? whole}
      </span>,
      colon ?? '',
    )
    end = match.index + whole.length
  }
  parts.push(text.slice(end))
  return parts
}
