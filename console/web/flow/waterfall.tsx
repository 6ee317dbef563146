/** The flow over time: when each handling waited and worked. By the clocks of those who wrote, so order is causal and bars may overlap it. */
import type { ReactNode } from 'react'
import type { FlowGraphView, FlowView, GroupView, HandlingView } from '../../api.ts'
import { countText, durationText } from '../format.ts'
import { toneOf } from '../parts/status.tsx'
import { worstOf } from '../graph/flow-model.ts'

/** One row. Times are milliseconds since the flow began. */
interface Bar {
  readonly id: string
  readonly name: string
  readonly detail: string
  readonly status: string
  readonly waitedMs: number
  readonly fromMs: number
  readonly toMs: number
  readonly isCritical: boolean
  readonly attempts: readonly number[]
}

const TICKS = 5

/** See the file's head. */
export function Waterfall({
  flow,
  selected,
  onSelect,
}: {
  readonly flow: FlowView
  readonly selected: string
  readonly onSelect: (id: string) => void
}): ReactNode {
  const bars = barsOf(flow)
  const spanMs = Math.max(1, ...bars.map(({ toMs }) => toMs))
  const percent = (ms: number): string => `${(100 * Math.max(0, ms)) / spanMs}%`
  return (
    <div className="waterfall">
      <div className="ticks" aria-hidden="true">
        {Array.from({ length: TICKS + 1 }, (_, index) => (
          <span key={index} style={{ left: percent((spanMs * index) / TICKS) }}>
            {durationText((spanMs * index) / TICKS)}
          </span>
        ))}
      </div>
      <ol aria-label="Handlings over time">
        {bars.map((bar) => (
          <BarRow key={bar.id} {...{ bar, selected, onSelect, percent }} />
        ))}
      </ol>
      <p className="legend">
        <span className="bar-sample bar-wait" /> waited <span className="bar-sample bar-work good" /> worked{' '}
        <span className="bar-sample bar-work good critical" /> on the critical path{' '}
        <span className="bar-sample bar-failed" /> an attempt failed
      </p>
    </div>
  )
}

function BarRow({
  bar,
  selected,
  onSelect,
  percent,
}: {
  readonly bar: Bar
  readonly selected: string
  readonly onSelect: (id: string) => void
  readonly percent: (ms: number) => string
}): ReactNode {
  return (
    <li>
      <button
        type="button"
        aria-pressed={bar.id === selected}
        onClick={() => onSelect(bar.id === selected ? '' : bar.id)}
      >
        <span className="bar-name">
          {bar.name} <span className="quiet">{bar.detail}</span>
        </span>
        <span className="bar-lane" aria-hidden="true">
          <span
            className="bar-wait"
            style={{ left: percent(bar.fromMs - bar.waitedMs), width: percent(bar.waitedMs) }}
          />
          <span
            className={`bar-work ${toneOf(bar.status)} ${bar.isCritical ? 'critical' : ''}`}
            style={{ left: percent(bar.fromMs), width: percent(bar.toMs - bar.fromMs) }}
          />
          {bar.attempts.map((atMs) => (
            <span key={atMs} className="bar-failed" style={{ left: percent(atMs) }} />
          ))}
        </span>
        <span className="visually-hidden">
          , {bar.status}, began after {durationText(bar.fromMs)}, waited {durationText(bar.waitedMs)}, took{' '}
          {durationText(bar.toMs - bar.fromMs)}
        </span>
      </button>
    </li>
  )
}

function barsOf({ graph, groups, startedAtMs, criticalPath }: FlowView): readonly Bar[] {
  const originMs = startedAtMs ?? 0
  if (graph !== null) {
    const critical = new Set(graph.criticalPath)
    const arrivals = arrivalsIn(graph, originMs)
    const endMs = Math.max(...graph.handlings.map(({ endedAtMs }) => endedAtMs ?? 0), ...arrivals.values())
    return graph.handlings.map((handling) =>
      handling.startedAtMs === null
        ? waitingBar(handling, { originMs, endMs, arrivals })
        : handlingBar(handling, originMs, critical),
    )
  }
  const critical = new Set(criticalPath.map(({ groupId }) => groupId))
  return groups.flatMap((group) => groupBar(group, originMs, critical))
}

/** When each event came: as recorded, else when its publisher was done. */
function arrivalsIn({ events, handlings }: FlowGraphView, originMs: number): ReadonlyMap<string, number> {
  const ended = new Map(handlings.map(({ key, endedAtMs }) => [key, endedAtMs]))
  return new Map(
    events.map(({ id, recordedAtMs, publishedBy }) => [id, recordedAtMs ?? ended.get(publishedBy ?? '') ?? originMs]),
  )
}

/** One that has not begun has waited since its last event came, and still does. */
function waitingBar(
  { key, agent, status, inputs }: HandlingView,
  {
    originMs,
    endMs,
    arrivals,
  }: { readonly originMs: number; readonly endMs: number; readonly arrivals: ReadonlyMap<string, number> },
): Bar {
  const sinceMs = Math.max(originMs, ...inputs.map((id) => arrivals.get(id) ?? originMs))
  const atMs = Math.max(sinceMs, endMs) - originMs
  const bar = { id: key, name: agent, detail: status, status, fromMs: atMs, toMs: atMs }
  return { ...bar, waitedMs: atMs - (sinceMs - originMs), isCritical: false, attempts: [] }
}

function handlingBar(handling: HandlingView, originMs: number, critical: ReadonlySet<string>): Bar {
  const { key, agent, status, startedAtMs, endedAtMs, waitedMs, workedMs, failedAttempts } = handling
  const fromMs = (startedAtMs ?? originMs) - originMs
  return {
    ...{ id: key, name: agent, status, fromMs, isCritical: critical.has(key) },
    detail: workedMs === null ? status : durationText(workedMs),
    waitedMs: Math.max(0, waitedMs ?? 0),
    toMs: Math.max(fromMs, (endedAtMs ?? startedAtMs ?? originMs) - originMs),
    attempts: failedAttempts.map((attempt) => attempt.endedAtMs - originMs),
  }
}

function groupBar(group: GroupView, originMs: number, critical: ReadonlySet<string>): readonly Bar[] {
  if (group.kind === 'events') return []
  const { id, agent, count, statuses, startedAtMs, endedAtMs } = group
  const fromMs = (startedAtMs ?? originMs) - originMs
  const toMs = Math.max(fromMs, (endedAtMs ?? startedAtMs ?? originMs) - originMs)
  const bar = { id, name: agent, detail: `×${countText(count)}`, status: worstOf(statuses), fromMs, toMs }
  return [{ ...bar, waitedMs: 0, isCritical: critical.has(id), attempts: [] }]
}
