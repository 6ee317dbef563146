/** One flow: drawn, over time, or as a table; small ones event by event, large ones by groups that open page by page. */
import { useMemo, type ReactNode } from 'react'
import type { About, FlowView } from '../../api.ts'
import { FlowDetail } from '../flow/flow-detail.tsx'
import { FlowTableView } from '../flow/flow-table.tsx'
import { Waterfall } from '../flow/waterfall.tsx'
import { countText, durationText, plural, timeText } from '../format.ts'
import { flowModel, groupModel } from '../graph/flow-model.ts'
import { LazyGraph, usePreparedGraph } from '../graph/lazy-graph.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { useAnnouncement } from '../parts/live-region.tsx'
import { Moment, PageHead, Tabs } from '../parts/page-head.tsx'
import { Answer } from '../parts/states.tsx'
import { Status } from '../parts/status.tsx'
import { useParameter } from '../router.tsx'
import { useSession } from '../session.tsx'
import { useLive } from '../use-live.ts'
import { WhyPanel } from './why-panel.tsx'

const EVERY_MS = 3_000
const VIEWS = [
  ['graph', 'Graph'],
  ['waterfall', 'Waterfall'],
  ['table', 'Table'],
] as const

/** See the file's head. */
export function FlowPage({ flowId }: { readonly flowId: string }): ReactNode {
  const [view, setView] = useParameter('view', 'graph')
  const path = `/api/flows/${encodeURIComponent(flowId)}`
  const first = useLive<FlowView>(path, EVERY_MS)
  usePreparedGraph(view === 'graph')
  useAnnouncement(
    first.data === undefined ? undefined : `Flow ${first.data.status}, ${plural(first.data.events, 'event')}`,
  )
  const { about } = useSession()
  return (
    <>
      <PageHead
        title={
          <>
            Flow <span className="id">{flowId}</span> <CopyButton text={flowId} what="flow id" />
          </>
        }
        facts={first.data === undefined ? '' : <Facts flow={first.data} about={about} />}
      >
        <Tabs label="View" options={VIEWS} value={view} onChange={setView} />
      </PageHead>
      <Answer live={first} what="the flow">
        {(flow) => (
          <>
            <WhyPanel flow={flow} />
            <CompletenessLine flow={flow} />
            <Views flow={flow} view={view} />
          </>
        )}
      </Answer>
    </>
  )
}

function Facts({ flow, about }: { readonly flow: FlowView; readonly about: About | undefined }): ReactNode {
  const { status, startedAtMs, durationMs, events, handlings, cost, traceId } = flow
  const jaeger = about?.jaegerUrl ?? null
  return (
    <>
      <Status status={status} />
      {'  ·  '}
      {startedAtMs === null ? (
        'beginning unknown'
      ) : (
        <>
          began <Moment atMs={startedAtMs} text={timeText(startedAtMs)} />
        </>
      )}
      {durationMs !== null && `  ·  took ${durationText(durationMs)}`}
      {`  ·  ${plural(events, 'event')}, ${plural(handlings, 'handling')}`}
      {cost !== null && `  ·  cost ${cost}`}
      {jaeger !== null && traceId !== null && (
        <>
          {'  ·  '}
          <a href={`${jaeger}/trace/${traceId}`} target="_blank" rel="noreferrer">
            trace in Jaeger
          </a>
        </>
      )}
    </>
  )
}

function Views({ flow, view }: { readonly flow: FlowView; readonly view: string }): ReactNode {
  const [selected, setSelected] = useParameter('select')
  const model = useMemo(() => (flow.graph === null ? groupModel(flow) : flowModel(flow.graph)), [flow])
  return (
    <>
      {flow.graph === null && (
        <p className="note">
          {countText(flow.events + flow.handlings)} events and handlings are too many to draw one by one: they are
          grouped by agent and event type. Choose a group to read its members, those that need a look first.
        </p>
      )}
      <div className="split">
        <div className="split-main">
          {view === 'table' && <FlowTableView flow={flow} selected={selected} onSelect={setSelected} />}
          {view === 'waterfall' && <Waterfall flow={flow} selected={selected} onSelect={setSelected} />}
          {view !== 'table' && view !== 'waterfall' && (
            <LazyGraph
              model={model}
              label="Events and handlings of the flow"
              selected={selected}
              onSelect={setSelected}
            />
          )}
        </div>
        {selected !== '' && <FlowDetail key={selected} flow={flow} selected={selected} onSelect={setSelected} />}
      </div>
    </>
  )
}

function CompletenessLine({ flow }: { readonly flow: FlowView }): ReactNode {
  const { complete, reactionsEnded, reactionsExpected, unpublished, unaccounted, idConflicts, unknown } =
    flow.completeness
  const amiss = [
    ...(unpublished > 0 ? [`${plural(unpublished, 'event')} claimed but not on the log`] : []),
    ...(unaccounted > 0 ? [`${plural(unaccounted, 'event')} that no fact names`] : []),
    ...(idConflicts > 0 ? [`${plural(idConflicts, 'id')} with two contents`] : []),
    ...unknown,
  ]
  const summary = `${countText(reactionsEnded)} of ${countText(reactionsExpected)} reactions ended`
  return (
    <p className={complete ? 'completeness' : 'completeness incomplete'}>
      <strong>{complete ? 'Complete' : 'Not complete'}</strong> {[summary, ...amiss].join('; ')}
    </p>
  )
}
