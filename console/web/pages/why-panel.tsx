/** Why a flow stands still: the verdict, what it rests on, and the way out. Nothing when all is well. */
import type { ReactNode } from 'react'
import type { FlowView, WhyView } from '../../api.ts'
import { plural } from '../format.ts'
import { useAnnouncement } from '../parts/live-region.tsx'
import { Loading } from '../parts/states.tsx'
import { Verdict, verdictName } from '../parts/verdict.tsx'
import { Link } from '../router.tsx'
import { useLive } from '../use-live.ts'

const EVERY_MS = 5_000

/** See the file's head. */
export function WhyPanel({ flow }: { readonly flow: FlowView }): ReactNode {
  const isWell = flow.status === 'completed' && flow.completeness.complete
  const { data } = useLive<WhyView>(isWell ? null : `/api/flows/${flow.flowId}/why`, EVERY_MS)
  useAnnouncement(data?.stands === true ? data.root.sentence : undefined)
  if (isWell) return null
  if (data === undefined) return <Loading what="the verdict" />
  const { verdict, also, others, unseen, stands } = data
  return (
    <section className={stands ? 'why stands' : 'why'} aria-label={stands ? 'What stands still' : 'Where it is'}>
      <h2>{verdictName(verdict.code)}</h2>
      <Verdict verdict={verdict} />
      {(flow.statuses['failed'] ?? 0) > 0 && (
        <p>
          <Link to={`/dead-letters?flow=${flow.flowId}`}>Look at the dead letter</Link>
        </p>
      )}
      {also.length > 0 && (
        <details>
          <summary>{plural(others, 'other verdict')}</summary>
          <ul className="plain">
            {also.map((other, index) => (
              <li key={index}>
                <strong>{verdictName(other.code)}</strong>: {other.sentence}
              </li>
            ))}
            {others > also.length && <li className="quiet">and {plural(others - also.length, 'other')}</li>}
          </ul>
        </details>
      )}
      {unseen.length > 0 && <p className="quiet">Not looked at: {unseen.join(' ')}</p>}
    </section>
  )
}
