/** The flow as a table: what the drawing shows, row by row in causal order, for reading from top to bottom and for those who cannot see it. */
import type { ReactNode } from 'react'
import type { EventView, FlowGraphView, FlowView, GroupView, HandlingView } from '../../api.ts'
import { countText, durationText, plural, shortId, timeText } from '../format.ts'
import { Moment } from '../parts/page-head.tsx'
import { Status, StatusBar } from '../parts/status.tsx'

interface Choosable {
  readonly selected: string
  readonly onSelect: (id: string) => void
}

/** See the file's head. */
export function FlowTableView({ flow, ...choice }: { readonly flow: FlowView } & Choosable): ReactNode {
  return flow.graph === null ? (
    <GroupTable groups={flow.groups} {...choice} />
  ) : (
    <NodeTable graph={flow.graph} {...choice} />
  )
}

function GroupTable({ groups, selected, onSelect }: { readonly groups: readonly GroupView[] } & Choosable): ReactNode {
  return (
    <div className="table-scroll">
      <table>
        <caption className="visually-hidden">Groups of the flow in causal order</caption>
        <thead>
          <tr>
            <th scope="col">Who or what</th>
            <th scope="col" className="number">
              Count
            </th>
            <th scope="col">Status</th>
            <th scope="col" className="number">
              Waited, median
            </th>
            <th scope="col" className="number">
              Worked, median
            </th>
            <th scope="col" className="number">
              Longest
            </th>
            <th scope="col">Errors</th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <GroupRow key={group.id} {...{ group, selected, onSelect }} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function GroupRow({ group, selected, onSelect }: { readonly group: GroupView } & Choosable): ReactNode {
  return (
    <tr className={group.id === selected ? 'selected' : ''}>
      <th scope="row">
        <NodeButton kind={group.kind === 'events' ? 'topic' : 'agent'} id={group.id} {...{ selected, onSelect }}>
          {group.kind === 'events' ? group.topic || 'unknown events' : group.agent}
        </NodeButton>
      </th>
      <td className="number">{countText(group.count)}</td>
      {group.kind === 'handlings' ? (
        <>
          <td>
            <StatusBar counts={group.statuses} />
          </td>
          <td className="number">{durationText(group.waited?.medianMs ?? null)}</td>
          <td className="number">{durationText(group.worked?.medianMs ?? null)}</td>
          <td className="number">{durationText(group.worked?.mostMs ?? null)}</td>
          <td>{group.errors.map(({ code, count }) => `${code} ×${count}`).join(', ')}</td>
        </>
      ) : (
        <td colSpan={5} className="quiet">
          {group.awaiting.map(({ agent, count }) => `${agent} has not ended with ${countText(count)}`).join(', ')}
        </td>
      )}
    </tr>
  )
}

function NodeTable({ graph, selected, onSelect }: { readonly graph: FlowGraphView } & Choosable): ReactNode {
  const eventById = new Map(graph.events.map((event) => [event.id, event]))
  return (
    <div className="table-scroll">
      <table>
        <caption className="visually-hidden">Handlings of the flow in causal order</caption>
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">Status</th>
            <th scope="col">Handled</th>
            <th scope="col">Published</th>
            <th scope="col">At</th>
            <th scope="col" className="number">
              Waited
            </th>
            <th scope="col" className="number">
              Worked
            </th>
            <th scope="col" className="number">
              Attempts
            </th>
            <th scope="col">Error</th>
          </tr>
        </thead>
        <tbody>
          {graph.handlings.map((handling) => (
            <HandlingRow key={handling.key} {...{ handling, eventById, selected, onSelect }} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function HandlingRow({
  handling,
  eventById,
  selected,
  onSelect,
}: {
  readonly handling: HandlingView
  readonly eventById: ReadonlyMap<string, EventView>
} & Choosable): ReactNode {
  const { key, agent, status, inputs, outputs, startedAtMs, waitedMs, workedMs, attempts, errorCode } = handling
  const events = (ids: readonly string[]): ReactNode =>
    ids.slice(0, 4).map((id) => (
      <NodeButton key={id} kind="topic" id={id} {...{ selected, onSelect }}>
        {eventById.get(id)?.topic || shortId(id)}
      </NodeButton>
    ))
  return (
    <tr className={key === selected ? 'selected' : ''}>
      <th scope="row">
        <NodeButton kind="agent" id={key} {...{ selected, onSelect }}>
          {agent}
        </NodeButton>
      </th>
      <td>
        <Status status={status} />
      </td>
      <td>{events(inputs)}</td>
      <td>
        {events(outputs)}
        {outputs.length > 4 && <span className="quiet">and {plural(outputs.length - 4, 'event')} more</span>}
      </td>
      <td>
        <Moment atMs={startedAtMs} text={timeText(startedAtMs)} />
      </td>
      <td className="number">{durationText(waitedMs)}</td>
      <td className="number">{durationText(workedMs)}</td>
      <td className="number">{attempts}</td>
      <td>{errorCode !== null && <code>{errorCode}</code>}</td>
    </tr>
  )
}

function NodeButton({
  kind,
  id,
  selected,
  onSelect,
  children,
}: { readonly kind: 'agent' | 'topic'; readonly id: string; readonly children: ReactNode } & Choosable): ReactNode {
  return (
    <button
      type="button"
      className={`node-button ${kind}`}
      aria-pressed={id === selected}
      onClick={() => onSelect(id === selected ? '' : id)}
    >
      {children}
    </button>
  )
}
