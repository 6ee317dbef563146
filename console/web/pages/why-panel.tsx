/** Why a flow stands still: what is wrong in it, in words, with the way out. Nothing when all is well. */
import type { ReactNode } from 'react'
import type { FlowView, HandlingGroupView } from '../../api.ts'
import { plural } from '../format.ts'
import { Link } from '../router.tsx'

/** See the file's head. */
export function WhyPanel({ flow }: { readonly flow: FlowView }): ReactNode {
  const groups = flow.groups.filter((group): group is HandlingGroupView => group.kind === 'handlings')
  const amiss = groups.filter(
    ({ statuses }) => (statuses['failed'] ?? 0) + (statuses['stuck'] ?? 0) + (statuses['waiting'] ?? 0) > 0,
  )
  if (amiss.length === 0) return null
  return (
    <section className="why" aria-label="What stands still">
      <h2>What stands still</h2>
      <ul className="plain">
        {amiss.map((group) => (
          <li key={group.id}>
            <strong>{group.agent}</strong> {saying(group)}{' '}
            {group.errors.slice(0, 3).map(({ code }) => (
              <code key={code}>{code}</code>
            ))}{' '}
            {(group.statuses['failed'] ?? 0) > 0 && (
              <Link to={`/dead-letters?flow=${flow.flowId}`}>Look at the dead letter</Link>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function saying({ statuses, topics }: HandlingGroupView): string {
  const about = topics.length === 0 ? '' : ` of ${topics.join(' + ')}`
  const parts = [
    ...((statuses['failed'] ?? 0) > 0 ? [`could not handle ${plural(statuses['failed'] ?? 0, 'event')}${about}`] : []),
    ...((statuses['stuck'] ?? 0) > 0 ? ['waits for something that nothing under way can bring'] : []),
    ...((statuses['waiting'] ?? 0) > 0 ? [`waits for other events or for a person`] : []),
  ]
  return parts.join('; ')
}
