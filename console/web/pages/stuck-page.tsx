/** Work that stands still, by root cause, the oldest first: the verdicts of `laban why --stuck`. */
import type { ReactNode } from 'react'
import type { StuckGroup, StuckWork } from '../../api.ts'
import { durationText, plural, shortId } from '../format.ts'
import { useAnnouncement } from '../parts/live-region.tsx'
import { PageHead } from '../parts/page-head.tsx'
import { Answer, EmptyState } from '../parts/states.tsx'
import { Verdict, verdictName } from '../parts/verdict.tsx'
import { Link } from '../router.tsx'
import { useLive } from '../use-live.ts'

const EVERY_MS = 5_000

/** See the file's head. */
export function StuckPage(): ReactNode {
  const live = useLive<StuckWork>('/api/stuck', EVERY_MS)
  const facts = live.data === undefined ? '' : factsOf(live.data)
  useAnnouncement(facts === '' ? undefined : facts)
  return (
    <>
      <PageHead title="Stuck work" facts={facts} />
      <Answer live={live} what="stuck work">
        {({ groups, unseen }) => (
          <>
            {groups.length === 0 ? (
              <EmptyState title="Nothing stands still">
                What stands still would be here, with its cause. <Link to="/flows">Look at all flows</Link>.
              </EmptyState>
            ) : (
              groups.map((group, index) => <Cause key={index} group={group} />)
            )}
            {unseen.length > 0 && <p className="quiet">Not looked at: {unseen.join(' ')}</p>}
          </>
        )}
      </Answer>
    </>
  )
}

function factsOf({ groups, moving }: StuckWork): string {
  const flows = groups.reduce((sum, group) => sum + group.flows, 0)
  const stands =
    flows === 0 ? 'nothing stands still' : `${plural(flows, 'flow')} held up by ${plural(groups.length, 'cause')}`
  return moving === 0 ? stands : `${stands}  ·  ${plural(moving, 'other')} under way`
}

function Cause({ group }: { readonly group: StuckGroup }): ReactNode {
  const { cause, flows, sinceMs, examples } = group
  return (
    <section className="cause" aria-label={cause.sentence}>
      <h2>
        <span className="status bad">{verdictName(cause.code)}</span> {cause.agent}
      </h2>
      <p className="quiet">
        {plural(flows, 'flow')}
        {sinceMs !== null && `, for ${durationText(Math.max(0, Date.now() - sinceMs))}`}:{' '}
        {examples.map((flowId) => (
          <Link key={flowId} className="id example" to={`/flows/${flowId}`} title={flowId}>
            {shortId(flowId)}
          </Link>
        ))}
        {flows > examples.length && `and ${flows - examples.length} more`}
      </p>
      <Verdict verdict={cause} />
      {cause.code === 'dead-lettered' && (
        <p>
          <Link to="/dead-letters">Dead letters</Link>
        </p>
      )}
    </section>
  )
}
