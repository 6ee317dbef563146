/** Work that stands still, by cause, the oldest first. */
import type { ReactNode } from 'react'
import type { StuckGroup, StuckWork } from '../../api.ts'
import { durationText, plural } from '../format.ts'
import { useAnnouncement } from '../parts/live-region.tsx'
import { PageHead } from '../parts/page-head.tsx'
import { Answer, EmptyState } from '../parts/states.tsx'
import { Status } from '../parts/status.tsx'
import { Link } from '../router.tsx'
import { useLive } from '../use-live.ts'
import { FlowTable } from './flows-page.tsx'

const EVERY_MS = 5_000

/** See the file's head. */
export function StuckPage(): ReactNode {
  const live = useLive<StuckWork>('/api/stuck', EVERY_MS)
  const total = live.data?.total
  const facts = total === undefined ? '' : total === 0 ? 'everything goes on' : `${plural(total, 'flow')} stand still`
  useAnnouncement(facts === '' ? undefined : facts)
  return (
    <>
      <PageHead title="Stuck work" facts={facts} />
      <Answer live={live} what="stuck work">
        {({ groups }) =>
          groups.length === 0 ? (
            <EmptyState title="Nothing stands still">
              Flows that failed, are stuck or wait would stand here. <Link to="/flows">Look at all flows</Link>.
            </EmptyState>
          ) : (
            groups.map((group) => <Cause key={group.id} group={group} />)
          )
        }
      </Answer>
    </>
  )
}

function Cause({ group }: { readonly group: StuckGroup }): ReactNode {
  const { verdict, says, agents, codes, count, oldestAtMs, flows, commands } = group
  return (
    <section className="cause">
      <h2>
        <Status status={verdict} /> {agents.join(', ')}{' '}
        {codes.map((code) => (
          <code key={code}>{code}</code>
        ))}
      </h2>
      <p>
        {plural(count, 'flow')}
        {oldestAtMs !== null && `, the oldest began ${durationText(Math.max(0, Date.now() - oldestAtMs))} ago`}. {says}{' '}
        {verdict === 'failed' && <Link to="/dead-letters">Dead letters</Link>}
      </p>
      {commands.map((command) => (
        <p key={command}>
          <code>{command}</code>
        </p>
      ))}
      <FlowTable flows={flows} />
      {flows.length < count && <p className="quiet">and {plural(count - flows.length, 'flow')} more</p>}
    </section>
  )
}
