/** What running a dead letter once more would set in motion. */
import type { ReactNode } from 'react'
import type { RedrivePreview } from '../../api.ts'

/** See the file's head. */
export function PreviewList({ preview }: { readonly preview: RedrivePreview }): ReactNode {
  const { agent, attempt, downstream, notes } = preview
  return (
    <div className="preview">
      <h3>What will run</h3>
      <ul className="plain">
        <li>
          <strong>{agent}</strong>, attempt {attempt}
        </li>
        {downstream.map(({ agent: next, by, distance }) => (
          <li key={next} className={`distance-${Math.min(distance, 4)}`}>
            then <strong>{next}</strong>, if {by.join(' or ')} is published
          </li>
        ))}
        {downstream.length === 0 && <li className="quiet">Nobody subscribes to what it publishes.</li>}
      </ul>
      <ul className="quiet notes">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </div>
  )
}
