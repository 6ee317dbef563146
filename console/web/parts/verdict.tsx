/** A verdict: what is the case, what it rests on, what brought it about, and the command that helps. */
import type { ReactNode } from 'react'
import type { VerdictView } from '../../api.ts'
import { CopyButton } from './copy-button.tsx'

/** Words of a code. */
export function verdictName(code: string): string {
  return code.replaceAll('-', ' ')
}

/** See the file's head. */
export function Verdict({ verdict }: { readonly verdict: VerdictView }): ReactNode {
  const { sentence, evidence, next, causes, resolution } = verdict
  return (
    <div className="verdict">
      <p className="sentence">{sentence}.</p>
      <p className="quiet">{resolution}</p>
      {next !== null && (
        <p>
          <code>{next}</code> <CopyButton text={next} what="command" />
        </p>
      )}
      {causes.length > 0 && <Causes causes={causes} />}
      {evidence.length > 0 && (
        <details>
          <summary>What it rests on</summary>
          <table>
            <caption className="visually-hidden">Evidence</caption>
            <tbody>
              {evidence.map(({ name, value, seenIn }, index) => (
                <tr key={index}>
                  <th scope="row">{name}</th>
                  <td className="wide">{value}</td>
                  <td className="quiet">{seenIn}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </div>
  )
}

function Causes({ causes }: { readonly causes: readonly VerdictView[] }): ReactNode {
  return (
    <ul className="causes">
      {causes.map((cause, index) => (
        <li key={index}>
          because <strong>{verdictName(cause.code)}</strong>: {cause.sentence}
          {cause.next !== null && (
            <>
              {' '}
              <code>{cause.next}</code>
            </>
          )}
          {cause.causes.length > 0 && <Causes causes={cause.causes} />}
        </li>
      ))}
    </ul>
  )
}
